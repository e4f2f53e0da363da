import { anthropicMessagesProvider } from '../wire/anthropic-messages/provider.ts'

/** Anthropic, Messages. */
export const provider = anthropicMessagesProvider({
  id: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  telemetryName: 'anthropic',
  vendor: 'anthropic',
})
