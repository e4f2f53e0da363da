import type { WireFormat } from '../call.ts'
import type { Citation } from '../web-search.ts'
import { asCount, asObject, asString, type JsonObject } from './json-value.ts'

/** Stands where Anthropic has a proof of its own, in searches and citations of other providers. */
export const translatedSearchMark = 'signalbox.search'

/** Characters of a text: code points, as vendors whose servers count characters do. */
export function countCharacters(text: string): number {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0xdc00 || code > 0xdfff) count++
  }
  return count
}

/** The same text up to a place in characters. */
export function sliceCharacters(text: string, start: number, end?: number): string {
  if (countCharacters(text) === text.length) return text.slice(start, end)
  return Array.from(text).slice(start, end).join('')
}

/** Where a citation is, in a text of so many characters. */
export function rangeOf({ start, end }: Citation, characters: number): { start: number; end: number } {
  const last = Math.min(end ?? characters, characters)
  return { start: Math.min(start ?? 0, last), end: last }
}

/**
 * An annotation `url_citation` of OpenAI: flat in Responses, one level down in Chat Completions, where its places are
 * of the whole content. `content`, as OpenRouter writes it, is the source's own words. Undefined for any other.
 * @param before characters of the content that come before the block.
 */
export function decodeAnnotation(value: unknown, before = 0): Citation | undefined {
  const annotation = asObject(value)
  const cited = asObject(annotation?.url_citation) ?? annotation
  const url = asString(cited?.url)
  if (annotation?.type !== 'url_citation' || cited === undefined || url === undefined) return undefined
  const start = asCount(cited.start_index)
  const end = asCount(cited.end_index)
  const title = asString(cited.title) || undefined
  const quote = asString(cited.content) || undefined
  return {
    url,
    ...(title !== undefined && { title }),
    ...(quote !== undefined && { quote }),
    ...(start !== undefined && { start: Math.max(0, start - before) }),
    ...(end !== undefined && { end: Math.max(0, end - before) }),
  }
}

/** A citation as OpenAI writes it; `characters` are those of its block, `before` those of what comes before it. */
export function encodeAnnotation(citation: Citation, characters: number, before = 0): JsonObject {
  const { start, end } = rangeOf(citation, characters)
  return {
    type: 'url_citation',
    start_index: start + before,
    end_index: end + before,
    title: citation.title ?? '',
    url: citation.url,
    ...(citation.quote !== undefined && { content: citation.quote }),
  }
}

/** Ids of searches that a provider gave none: the same for the same answer. */
export function makeSearchId(replyId: string, index: number, format: WireFormat): string {
  const prefix = format === 'anthropic-messages' ? 'srvtoolu' : 'ws'
  return `${prefix}_${replyId.replace(/[^\w-]/g, '').slice(-40)}_${index}`
}
