import { type Host, hosts } from '@signalbox/sdk/contract'
import { hostTraits, quirksOf } from './host-quirks.ts'
import { loadPlugins } from './load-plugins.ts'
import type { Provider } from './provider.ts'
import { anthropicMessagesProvider } from './wire/anthropic-messages/provider.ts'
import { openAiChatProvider } from './wire/openai-chat/provider.ts'
import { openAiResponsesProvider } from './wire/openai-responses/provider.ts'

/** A provider from a row of data: a format, an address, and where it differs. */
export function hostProvider({ id, format, baseUrl }: Host): Provider {
  const traits = hostTraits[id] ?? {}
  const identity = { id, baseUrl, telemetryName: traits.telemetryName ?? id, vendor: id }
  if (format === 'anthropic-messages') return anthropicMessagesProvider(identity)
  const options = { ...identity, quirks: quirksOf(id) }
  const provider = openAiChatProvider(options)
  if (traits.speaksResponses !== true) return provider
  return {
    ...provider,
    otherFormats: { 'openai-responses': openAiResponsesProvider(options) },
    spokenFormats: ['openai-chat', 'openai-responses'],
  }
}

/**
 * Every provider by id: those with a file, then the hosts, which are rows of data. A file replaces a host of its name.
 */
export async function loadProviders(): Promise<ReadonlyMap<string, Provider>> {
  const files = await loadPlugins<Provider>(new URL('./providers/', import.meta.url), 'provider')
  const rows = [...hosts.values()].map((host) => [host.id, hostProvider(host)] as const)
  return new Map([...files, ...rows.filter(([id]) => !files.has(id))])
}
