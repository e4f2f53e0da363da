import type { Finish, UsageCounts, WireFormat } from '../../call.ts'
import type { Citation, SearchMade } from '../../web-search.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { sealReasoning } from '../reasoning-origin.ts'

const finishes: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'tool-calls',
  contentFilter: 'content-filter',
  error: 'error',
  other: 'other',
}

export function encodeFinish(finish: Finish, nativeFinish: string): { unified: string; raw: string } {
  return { unified: finishes[finish], raw: nativeFinish }
}

/** Usage as the AI SDK has it; what is not known is left out. */
export function encodeUsage(usage: UsageCounts): unknown {
  const cacheWrite = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  const noCache =
    usage.input === undefined ? undefined : usage.input + (usage.audioIn ?? 0) + (usage.imageIn ?? 0)
  const output = usage.output === undefined ? undefined : usage.output + (usage.audioOut ?? 0)
  const total = noCache === undefined ? undefined : noCache + (usage.cacheRead ?? 0) + cacheWrite
  const text = output === undefined ? undefined : Math.max(0, output - (usage.reasoning ?? 0))
  return {
    inputTokens: { total, noCache, cacheRead: usage.cacheRead, cacheWrite },
    outputTokens: { total: output, text, reasoning: usage.reasoning },
  }
}

/** What thinking needs to go back with the next turn, under the names that the vendors' AI SDK providers use. */
export function reasoningMetadata(
  origin: WireFormat,
  { signature, encrypted }: { signature: string | undefined; encrypted: string | undefined },
): { providerMetadata?: Record<string, Record<string, string>> } {
  if (signature === undefined && encrypted === undefined) return {}
  if (origin === 'anthropic-messages') {
    const sealed = encrypted === undefined ? { signature: signature ?? '' } : { redactedData: encrypted }
    return { providerMetadata: { anthropic: sealed } }
  }
  if (origin === 'openai-responses') {
    const item = signature === undefined ? {} : { itemId: signature }
    const content = encrypted === undefined ? {} : { reasoningEncryptedContent: encrypted }
    return { providerMetadata: { openai: { ...item, ...content } } }
  }
  // Google's own AI SDK provider has it on parts of other kinds; sealed, it stays with the thinking.
  return {
    providerMetadata: { signalbox: { signature: sealReasoning({ origin, signature, encrypted }) ?? '' } },
  }
}

/** A source on the web that a text rests on; its place in the text and its own words are metadata of ours. */
export function sourcePart({ url, title, quote, start, end }: Citation, index: number): object {
  const cited = {
    ...(quote !== undefined && { citedText: quote }),
    ...(start !== undefined && { startIndex: start }),
    ...(end !== undefined && { endIndex: end }),
  }
  return {
    type: 'source',
    sourceType: 'url',
    id: `source-${index}`,
    url,
    ...(title !== undefined && { title }),
    ...(Object.keys(cited).length > 0 && { providerMetadata: { signalbox: cited } }),
  }
}

/** What the caller calls the search that it offers; undefined where it offers none. */
export function ownSearchName(request: JsonObject): string | undefined {
  const tool = asArray(request.tools)
    .map(asObject)
    .find((each) => each?.type !== 'function' && /search/.test(asString(each?.id) ?? ''))
  return asString(tool?.name)
}

/** A search that the provider made, as a call of a tool that it ran itself. */
export function searchParts(
  { id, queries, results, error }: SearchMade,
  ownName: string | undefined,
): object[] {
  const named = ownName === undefined ? { toolName: 'web_search', dynamic: true } : { toolName: ownName }
  const tool = { toolCallId: id, ...named, providerExecuted: true }
  const found = results.map(({ url, title, age }) => ({
    url,
    ...(title !== undefined && { title }),
    ...(age !== undefined && { pageAge: age }),
  }))
  return [
    { type: 'tool-call', ...tool, input: JSON.stringify({ query: queries.join('; '), queries }) },
    { type: 'tool-result', ...tool, result: error ?? found, ...(error !== undefined && { isError: true }) },
  ]
}
