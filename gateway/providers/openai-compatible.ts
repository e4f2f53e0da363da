import { openAiChatProvider } from '../wire/openai-chat/provider.ts'
import { compatibleQuirks } from '../wire/openai-chat/quirks.ts'

/**
 * Any server that speaks Chat Completions: Ollama, vLLM, llama.cpp, OpenRouter, … The connection names its
 * URL.
 */
export const provider = openAiChatProvider({
  id: 'openai-compatible',
  baseUrl: undefined,
  telemetryName: 'openai',
  vendor: undefined,
  quirks: compatibleQuirks,
})
