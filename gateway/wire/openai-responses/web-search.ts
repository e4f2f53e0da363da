import type { SearchMade, SearchResult } from '../../web-search.ts'
import { asArray, asObject, asString, type JsonObject } from '../json-value.ts'
import type { OutputItem } from './output-items.ts'

/**
 * A `web_search_call` that searched, as it is when it is done. Undefined for one that opened a page or looked for
 * something on it.
 */
export function decodeSearchCall(item: JsonObject): SearchMade | undefined {
  const action = asObject(item.action) ?? {}
  if (action.type !== undefined && action.type !== 'search') return undefined
  const query = asString(action.query) || undefined
  const listed = asArray(action.queries).filter((each) => typeof each === 'string')
  const results = asArray(action.sources).flatMap((value): SearchResult[] => {
    const source = asObject(value)
    const url = asString(source?.url)
    const title = asString(source?.title) || undefined
    const age = asString(source?.page_age) || undefined
    if (url === undefined) return []
    return [{ url, ...(title !== undefined && { title }), ...(age !== undefined && { age }) }]
  })
  return {
    id: asString(item.id) ?? '',
    queries: listed.length > 0 || query === undefined ? listed : [query],
    results,
    ...(item.status === 'failed' && { error: 'failed' }),
    origin: 'openai-responses',
  }
}

/** A search as an item of the output, with what it found among its sources. */
export function searchItem(id: string, search: SearchMade): OutputItem {
  const { queries, results, error } = search
  const status = error === undefined ? 'completed' : 'failed'
  const action = {
    type: 'search',
    query: queries[0] ?? '',
    queries,
    sources: results.map(({ url, title, age }) => ({
      type: 'url',
      url,
      ...(title !== undefined && { title }),
      ...(age !== undefined && { page_age: age }),
    })),
  }
  return { id, type: 'web_search_call', status, action }
}

/** The same when it has only begun. */
export function begunSearch(id: string): OutputItem {
  return { id, type: 'web_search_call', status: 'in_progress' }
}

/** The events between the beginning of a search and its end. */
export const searchSteps = ['in_progress', 'searching', 'completed'].map(
  (step) => `response.web_search_call.${step}`,
)

/** How many searches an answer was billed for: each that was made, as OpenAI counts them. */
export function countSearches(output: unknown): number {
  return asArray(output).filter((value) => {
    const item = asObject(value)
    if (item?.type !== 'web_search_call' || item.status === 'failed') return false
    const type = asObject(item.action)?.type
    return type === undefined || type === 'search'
  }).length
}
