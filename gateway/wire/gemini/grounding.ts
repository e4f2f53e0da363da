import type { Citation, SearchMade, SearchResult } from '../../web-search.ts'
import { countCharacters, rangeOf, sliceCharacters } from '../citations.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { readFields } from './read-fields.ts'

/** What of a `groundingMetadata` has a canonical form. */
const known = new Set([
  ...['groundingChunks', 'groundingSupports', 'webSearchQueries', 'retrievalMetadata', 'retrievalQueries'],
])

interface Source extends SearchResult {
  /** Of its own store: the words that were found. */
  readonly quote?: string
}

/** Sources by their place; undefined for those without an address. */
function sourcesOf(metadata: JsonObject): (Source | undefined)[] {
  return asArray(metadata.groundingChunks).map((value): Source | undefined => {
    const chunk = readFields(value)
    const source = readFields(chunk?.web ?? chunk?.retrievedContext ?? chunk?.maps)
    const url = asString(source?.uri)
    if (source === undefined || url === undefined) return undefined
    const title = asString(source.title) || undefined
    const quote = asString(source.text) || undefined
    return { url, ...(title !== undefined && { title }), ...(quote !== undefined && { quote }) }
  })
}

export interface Grounding {
  readonly citations: readonly Citation[]
  readonly search: Omit<SearchMade, 'id'> | undefined
  /** Members that are not carried. */
  readonly lost: readonly string[]
}

/** Where parts of a text begin and what it is, to place what Google counts in bytes of UTF-8. */
export interface GroundedText {
  readonly text: string
  /** For each part of the answer where it begins in the text, in bytes; undefined for one that is no text of it. */
  readonly partStarts: readonly (number | undefined)[]
  /** Bytes of the answer's texts before this one. */
  readonly bytesBefore: number
}

/** What a `groundingMetadata` says of a text. Sources that no part of the text rests on are results of the search. */
export function readGrounding(metadata: JsonObject, grounded: GroundedText): Grounding {
  const sources = sourcesOf(metadata)
  const bytes = Buffer.from(grounded.text)
  const citations = asArray(metadata.groundingSupports).flatMap((value): Citation[] => {
    const support = readFields(value)
    const range = placeOf(readFields(support?.segment) ?? {}, grounded, bytes)
    return asArray(support?.groundingChunkIndices).flatMap((at): Citation[] => {
      const source = sources[asCount(at) ?? -1]
      return source === undefined ? [] : [{ ...source, ...range }]
    })
  })
  const queries = asArray(metadata.webSearchQueries).filter((query) => typeof query === 'string')
  const results = sources.filter((source) => source !== undefined)
  const isSearch = queries.length > 0 || results.length > 0
  const lost = Object.keys(metadata).filter(
    (name) => !known.has(name) && Object.keys(asObject(metadata[name]) ?? {}).length > 0,
  )
  const isSilent = sources.length > results.length
  return {
    citations,
    search: isSearch ? { queries, results, origin: 'gemini' } : undefined,
    lost: isSilent ? [...lost, 'groundingChunks'] : lost,
  }
}

function placeOf(
  segment: JsonObject,
  { partStarts, bytesBefore }: GroundedText,
  bytes: Buffer,
): { start?: number; end?: number } {
  const partIndex = asCount(segment.partIndex)
  const base = partIndex === undefined ? -bytesBefore : (partStarts[partIndex] ?? 0)
  const end = asCount(segment.endIndex)
  if (end === undefined) return {}
  const characters = (offset: number): number =>
    countCharacters(bytes.subarray(0, Math.max(0, offset)).toString('utf8'))
  return { start: characters(base + (asCount(segment.startIndex) ?? 0)), end: characters(base + end) }
}

/** How many searches are billed: Gemini 3 and later each query, models before it each answer that searched. */
export function countGeminiSearches(answer: JsonObject): number {
  const queries = asArray(answer.candidates).flatMap((value) =>
    asArray(readFields(readFields(value)?.groundingMetadata)?.webSearchQueries),
  )
  const isByAnswer = /gemini-[12][.-]/.test(asString(answer.modelVersion) ?? '')
  return isByAnswer ? Math.min(1, queries.length) : queries.length
}

/** A text with its citations, and the searches of the answer. */
export interface GroundedAnswer {
  readonly texts: readonly {
    readonly text: string
    readonly citations: readonly Citation[]
    /** Among the parts of the content; undefined where places are of all texts in a row. */
    readonly partIndex: number | undefined
  }[]
  readonly searches: readonly SearchMade[]
}

/** `groundingMetadata` of an answer; undefined where it rests on nothing. */
export function encodeGrounding({ texts, searches }: GroundedAnswer): JsonObject | undefined {
  const chunks = new Map<string, { index: number; chunk: JsonObject }>()
  const indexOf = ({ url, title }: SearchResult): number => {
    const found = chunks.get(url)
    if (found !== undefined) return found.index
    const web = { uri: url, ...(title !== undefined && { title }) }
    chunks.set(url, { index: chunks.size, chunk: { web } })
    return chunks.size - 1
  }
  const supports: JsonObject[] = []
  let bytesBefore = 0
  for (const { text, citations, partIndex } of texts) {
    const characters = citations.length === 0 ? 0 : countCharacters(text)
    const base = partIndex === undefined ? bytesBefore : 0
    for (const citation of citations) {
      const { start, end } = rangeOf(citation, characters)
      const startIndex = base + Buffer.byteLength(sliceCharacters(text, 0, start))
      const said = sliceCharacters(text, start, end)
      const segment = {
        ...(partIndex !== undefined && partIndex > 0 && { partIndex }),
        ...(startIndex > 0 && { startIndex }),
        endIndex: startIndex + Buffer.byteLength(said),
        text: said,
      }
      supports.push({ segment, groundingChunkIndices: [indexOf(citation)] })
    }
    bytesBefore += Buffer.byteLength(text)
  }
  for (const { results } of searches) for (const result of results) indexOf(result)
  const queries = searches.flatMap((search) => search.queries)
  if (chunks.size === 0 && queries.length === 0) return undefined
  return {
    ...(queries.length > 0 && { webSearchQueries: queries }),
    groundingChunks: [...chunks.values()].map(({ chunk }) => chunk),
    groundingSupports: supports,
  }
}

/** What a Gemini answer has no place for of citations and searches, as the paths that name it. */
export function ungrounded({ texts, searches }: GroundedAnswer): string[] {
  const hasQuotes = texts.some(({ citations }) => citations.some(({ quote }) => quote !== undefined))
  const hasAges = searches.some(({ results }) => results.some(({ age }) => age !== undefined))
  const hasErrors = searches.some(({ error }) => error !== undefined)
  return [
    ...(hasQuotes ? ['response.content[].citations[].cited_text'] : []),
    ...(hasAges ? ['response.content[].content[].page_age'] : []),
    ...(hasErrors ? ['response.content[].content.error_code'] : []),
  ]
}
