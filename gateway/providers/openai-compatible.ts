import type { Provider } from '../provider.ts'
import { openAiChatProvider } from '../wire/openai-chat/provider.ts'
import { compatibleQuirks } from '../wire/openai-chat/quirks.ts'
import { openAiResponsesProvider } from '../wire/openai-responses/provider.ts'

const options = {
  id: 'openai-compatible',
  baseUrl: undefined,
  telemetryName: 'openai',
  vendor: undefined,
  quirks: compatibleQuirks,
} as const

/**
 * Any server that speaks Chat Completions: Ollama, vLLM, llama.cpp, OpenRouter, … The connection names its
 * URL, and says in `formats` where the server speaks Responses.
 */
export const provider: Provider = {
  ...openAiChatProvider(options),
  otherFormats: { 'openai-responses': openAiResponsesProvider(options) },
}
