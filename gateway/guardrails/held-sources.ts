import type { Delta } from '../call.ts'

export type Citation = Extract<Delta, { type: 'citation' }>

/**
 * The sources of a block as they go out behind it: in a text that was changed places are others, and where guards look
 * at the text nobody has looked at the words of a source, which stay behind.
 */
export function sourcesOf(
  citations: readonly Citation[],
  block: { readonly changed: boolean; readonly seen: boolean },
): Delta[] {
  return citations.flatMap((delta): Delta[] => {
    const { start, end, quote, ...source } = delta.citation
    const place = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }
    const isQuoted = !block.seen && quote !== undefined
    const citation = { ...source, ...(!block.changed && place), ...(isQuoted && { quote }) }
    const told = { ...delta, citation }
    return isQuoted || quote === undefined
      ? [told]
      : [told, { type: 'lost', path: 'response.citations.quote' }]
  })
}

/** A search as it goes out where guards look at the text: nobody has looked at what the model asked for in it. */
export function searchOf(delta: Extract<Delta, { type: 'search' }>): Delta[] {
  if (delta.search.queries.length === 0) return [delta]
  const search = { ...delta.search, queries: [] }
  return [
    { ...delta, search },
    { type: 'lost', path: 'response.searches.queries' },
  ]
}
