import { openAiChatProvider } from '../wire/openai-chat/provider.ts'
import { openAiQuirks } from '../wire/openai-chat/quirks.ts'

/** OpenAI, Chat Completions. */
export const provider = openAiChatProvider({
  id: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  telemetryName: 'openai',
  vendor: 'openai',
  quirks: openAiQuirks,
})
