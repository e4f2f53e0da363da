import type { WireFormat } from './call.ts'

/** Where a search may look from, as far as the caller says. */
export interface SearchPlace {
  readonly city?: string
  readonly region?: string
  /** Two letters, ISO 3166-1. */
  readonly country?: string
  /** IANA. */
  readonly timezone?: string
}
/** The provider's own search of the web, offered to the model. */
export interface WebSearch {
  /** Where the caller offers it: `tools[0]`, `web_search_options`. */
  readonly path: string
  readonly usesMax?: number
  readonly allowedDomains?: readonly string[]
  readonly blockedDomains?: readonly string[]
  readonly place?: SearchPlace
  /** How much of what is found goes to the model: `low`, `medium`, `high`. */
  readonly contextSize?: string
  /** Where the caller's format has an option, below `path`; a name that begins with `/` is of the whole body. */
  readonly members: Readonly<Partial<Record<SearchOption, string>>>
  /** As the caller wrote it. */
  readonly value: unknown
}
export type SearchOption = 'usesMax' | 'allowedDomains' | 'blockedDomains' | 'place' | 'contextSize'

/** A source on the web that a text rests on. */
export interface Citation {
  readonly url: string
  readonly title?: string
  /** What the source says, in its own words. */
  readonly quote?: string
  /** Which part of its block it is about, in characters (code points), the end left out; absent: all of it. */
  readonly start?: number
  readonly end?: number
  /** Anthropic's own mark of the place in the source. */
  readonly encryptedIndex?: string
}
export interface SearchResult {
  readonly url: string
  readonly title?: string
  /** How old, in the provider's words. */
  readonly age?: string
  /** Anthropic's own form of what it says. */
  readonly encrypted?: string
}
/** A search of the web that the provider made while it answered. */
export interface SearchMade {
  readonly id: string
  readonly queries: readonly string[]
  readonly results: readonly SearchResult[]
  /** Why it found nothing, in the provider's own word. */
  readonly error?: string
  readonly origin: WireFormat
}
