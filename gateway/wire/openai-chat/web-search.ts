import type { ReplyBlock } from '../../call.ts'
import type { Citation, SearchMade, SearchResult } from '../../web-search.ts'
import { countCharacters, decodeAnnotation, encodeAnnotation, makeSearchId } from '../citations.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'

type Lose = (path: string) => void
type TextBlock = Extract<ReplyBlock, { type: 'text' }>

/** `search_results` beside the choices, as Perplexity writes them and this gateway does for other providers. */
function readResults(answer: JsonObject): SearchResult[] {
  return asArray(answer.search_results).flatMap((value): SearchResult[] => {
    const result = asObject(value)
    const url = asString(result?.url)
    if (result === undefined || url === undefined) return []
    const title = asString(result.title) || undefined
    const age = asString(result.date) || undefined
    return [{ url, ...(title !== undefined && { title }), ...(age !== undefined && { age }) }]
  })
}

/** What was searched for and found, beside the choices of an answer or a chunk; undefined where nothing is said. */
export function readSearch(answer: JsonObject, replyId: string): SearchMade | undefined {
  const results = readResults(answer)
  const queries = asArray(answer.search_queries).filter((query) => typeof query === 'string')
  if (results.length === 0 && queries.length === 0) return undefined
  return { id: makeSearchId(replyId, 0, 'openai-chat'), queries, results, origin: 'openai-chat' }
}

/** `citations` beside the choices: addresses that the text names by number. */
export function readSources(answer: JsonObject): Citation[] {
  const titles = new Map(readResults(answer).map(({ url, title }) => [url, title]))
  return asArray(answer.citations).flatMap((value): Citation[] => {
    const url = asString(value) ?? asString(asObject(value)?.url)
    if (url === undefined) return []
    const title = titles.get(url)
    return [{ url, ...(title !== undefined && { title }) }]
  })
}

/** Texts with the sources that the message and the answer name; what cannot be placed is lost by name. */
export function citeTexts(
  blocks: readonly ReplyBlock[],
  message: JsonObject,
  answer: JsonObject,
  lose: Lose,
): ReplyBlock[] {
  const texts = blocks.filter((block): block is TextBlock => block.type === 'text')
  const annotations = asArray(message.annotations).map((value) => decodeAnnotation(value))
  const cited = annotations.filter((citation) => citation !== undefined)
  const last = texts.at(-1)
  if (cited.length < annotations.length || (last === undefined && cited.length > 0)) {
    lose('choices[].message.annotations')
  }
  const sources = readSources(answer)
  const isNamed = asArray(answer.citations).length > sources.length
  if (isNamed || (last === undefined && sources.length > 0)) lose('citations')
  if (last === undefined || cited.length + sources.length === 0) return [...blocks]
  const placed = placeCitations(texts, [...cited, ...sources])
  return blocks.map((block) => {
    const citations = block.type === 'text' ? placed.get(block) : undefined
    return citations === undefined ? block : { ...block, citations }
  })
}

/** Places are of the whole content: each goes to the text in which it ends, those without one to the last. */
function placeCitations(
  texts: readonly TextBlock[],
  citations: readonly Citation[],
): Map<ReplyBlock, Citation[]> {
  const placed = new Map<ReplyBlock, Citation[]>()
  let before = 0
  let rest = citations
  for (const text of texts) {
    const behind = before + countCharacters(text.text)
    const isLast = text === texts.at(-1)
    const own = rest.filter(({ end }) => isLast || (end !== undefined && end <= behind))
    rest = rest.filter((citation) => !own.includes(citation))
    if (own.length > 0)
      placed.set(
        text,
        own.map((citation) => movedBy(citation, before)),
      )
    before = behind
  }
  return placed
}

export function movedBy(citation: Citation, before: number): Citation {
  const { start, end, ...rest } = citation
  return {
    ...rest,
    ...(start !== undefined && { start: Math.max(0, start - before) }),
    ...(end !== undefined && { end: Math.max(0, end - before) }),
  }
}

/** A citation as Chat Completions has it, one level further down than Responses. */
export function chatAnnotation(citation: Citation, characters: number, before: number): JsonObject {
  const { type, ...cited } = encodeAnnotation(citation, characters, before)
  return { type, url_citation: cited }
}

/** `annotations` of a message whose content is these texts in a row. */
export function encodeAnnotations(blocks: readonly ReplyBlock[]): { annotations?: unknown[] } {
  const annotations: unknown[] = []
  let before = 0
  for (const block of blocks) {
    if (block.type !== 'text') continue
    const characters = countCharacters(block.text)
    for (const citation of block.citations ?? []) {
      annotations.push(chatAnnotation(citation, characters, before))
    }
    before += characters
  }
  return annotations.length === 0 ? {} : { annotations }
}

/** Searches beside the choices, under Perplexity's names: the format has no place of its own for them. */
export function encodeSearches(searches: readonly SearchMade[]): JsonObject {
  const queries = searches.flatMap((search) => search.queries)
  const results = searches.flatMap((search) => search.results)
  const errors = searches.flatMap(({ error }) => (error === undefined ? [] : [error]))
  return {
    ...(queries.length > 0 && { search_queries: queries }),
    ...(results.length > 0 && {
      search_results: results.map(({ url, title, age }) => ({
        title: title ?? '',
        url,
        ...(age !== undefined && { date: age }),
      })),
    }),
    ...(errors.length > 0 && { search_errors: errors }),
  }
}
