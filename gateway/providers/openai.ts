import type { Provider } from '../provider.ts'
import { openAiChatProvider } from '../wire/openai-chat/provider.ts'
import { openAiQuirks } from '../wire/openai-chat/quirks.ts'
import { openAiResponsesProvider } from '../wire/openai-responses/provider.ts'

const options = {
  id: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  telemetryName: 'openai',
  vendor: 'openai',
  quirks: openAiQuirks,
} as const

/** OpenAI: Responses for callers who speak it, Chat Completions for all others. */
export const provider: Provider = {
  ...openAiChatProvider(options),
  otherFormats: { 'openai-responses': openAiResponsesProvider(options) },
  spokenFormats: ['openai-chat', 'openai-responses'],
}
