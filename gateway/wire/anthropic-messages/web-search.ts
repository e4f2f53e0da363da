import type { ReplyBlock } from '../../call.ts'
import type { Citation, SearchMade, SearchResult } from '../../web-search.ts'
import { countCharacters, rangeOf, sliceCharacters, translatedSearchMark } from '../citations.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import { searchToolName } from '../web-search-request.ts'

/** Whether a block is the model's wish for a search of the web; what it wants stands in its input. */
export function isSearchUse(block: JsonObject): boolean {
  return block.type === 'server_tool_use' && block.name === searchToolName
}

/** Puts what a model searched for together with what was found, which comes as a block of its own. */
export class SearchPairs {
  readonly #asked = new Map<string, string>()

  /** The model asked for a search. */
  ask(id: string, input: unknown): void {
    this.#asked.set(id, asString(asObject(input)?.query) ?? '')
  }

  /** What a search found. An answer whose ids do not fit goes to the oldest question. */
  find(block: JsonObject): SearchMade {
    const named = asString(block.tool_use_id) ?? ''
    const id = this.#asked.has(named) ? named : ([...this.#asked.keys()][0] ?? named)
    const query = this.#asked.get(id)
    this.#asked.delete(id)
    const error = asString(asObject(block.content)?.error_code)
    return {
      id,
      queries: query ? [query] : [],
      results: asArray(block.content).flatMap(readResult),
      ...(error !== undefined && { error }),
      origin: 'anthropic-messages',
    }
  }

  /** Searches of which nothing came back. */
  rest(): SearchMade[] {
    const left = [...this.#asked].map(([id, query]): SearchMade => {
      return { id, queries: query ? [query] : [], results: [], origin: 'anthropic-messages' }
    })
    this.#asked.clear()
    return left
  }
}

function readResult(value: unknown): SearchResult[] {
  const result = asObject(value)
  const url = asString(result?.url)
  if (result === undefined || url === undefined) return []
  const title = asString(result.title) || undefined
  const age = asString(result.page_age) || undefined
  const encrypted = asString(result.encrypted_content) || undefined
  return [
    {
      url,
      ...(title !== undefined && { title }),
      ...(age !== undefined && { age }),
      ...(encrypted !== undefined && { encrypted }),
    },
  ]
}

/** A citation of something on the web; undefined for one of a document, which no other format can name. */
export function decodeCitation(value: unknown): Citation | undefined {
  const citation = asObject(value)
  const source = asString(citation?.url) ?? asString(citation?.source)
  if (citation === undefined || source === undefined || !/^https?:/i.test(source)) return undefined
  const title = asString(citation.title) || undefined
  const quote = asString(citation.cited_text) || undefined
  const encryptedIndex = asString(citation.encrypted_index) || undefined
  return {
    url: source,
    ...(title !== undefined && { title }),
    ...(quote !== undefined && { quote }),
    ...(encryptedIndex !== undefined && { encryptedIndex }),
  }
}

export function encodeCitation({ url, title, quote, encryptedIndex }: Citation): JsonObject {
  return {
    type: 'web_search_result_location',
    cited_text: quote ?? '',
    encrypted_index: encryptedIndex ?? translatedSearchMark,
    title: title ?? null,
    url,
  }
}

/**
 * A text with citations as text blocks: Anthropic says what a citation is about by the block that it is of, so the text
 * is cut where one begins or ends.
 */
export function citedBlocks({ text, citations = [] }: Extract<ReplyBlock, { type: 'text' }>): JsonObject[] {
  if (citations.length === 0) return [{ type: 'text', text }]
  const characters = countCharacters(text)
  const placed = citations.map((citation) => ({ citation, ...rangeOf(citation, characters) }))
  const cuts = [...new Set([0, characters, ...placed.flatMap(({ start, end }) => [start, end])])]
  cuts.sort((a, b) => a - b)
  const said = new Set<Citation>()
  const blocks = cuts.slice(0, -1).map((start, index): JsonObject => {
    const end = cuts[index + 1] ?? characters
    const isLast = end === characters
    const own = placed.filter((each) => {
      const covers = each.start <= start && each.end >= end
      return covers || (isLast && !said.has(each.citation) && each.start === each.end)
    })
    for (const { citation } of own) said.add(citation)
    const cited = own.map(({ citation }) => encodeCitation(citation))
    const piece = sliceCharacters(text, start, end)
    return { type: 'text', text: piece, ...(cited.length > 0 && { citations: cited }) }
  })
  return blocks.length > 0 ? blocks : [{ type: 'text', text, citations: citations.map(encodeCitation) }]
}

/** A search as the two blocks in which Anthropic tells it. */
export function searchBlocks(search: SearchMade, id: string): [use: JsonObject, result: JsonObject] {
  const { queries, results, error } = search
  const content =
    error === undefined
      ? results.map(({ url, title, age, encrypted }) => ({
          type: 'web_search_result',
          title: title ?? '',
          url,
          encrypted_content: encrypted ?? translatedSearchMark,
          page_age: age ?? null,
        }))
      : { type: 'web_search_tool_result_error', error_code: errorCode(error) }
  const input = { query: queries.join('; ') }
  return [
    { type: 'server_tool_use', id, name: searchToolName, input },
    { type: 'web_search_tool_result', tool_use_id: id, content },
  ]
}

const errorCodes = new Set([
  ...['invalid_tool_input', 'unavailable', 'max_uses_exceeded', 'too_many_requests', 'query_too_long'],
  'request_too_large',
])

function errorCode(error: string): string {
  return errorCodes.has(error) ? error : 'unavailable'
}

/** The id of a search, of which Anthropic's clients expect the prefix. */
export function searchId(search: SearchMade): string {
  const prefix = 'srvtoolu_'
  return search.id.startsWith(prefix) ? search.id : `${prefix}${search.id}`
}
