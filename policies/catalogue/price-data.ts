import { createRequire } from 'node:module'

/**
 * What the package's data say of a price: USD per block of units, or that with dearer blocks for long inputs.
 */
export type DataPrice = number | { readonly base: number; readonly tiers: readonly DataTier[] }
export interface DataTier {
  /** Holds where the whole input is longer than this many tokens. */
  readonly start: number
  readonly price: number
}
export type DataPrices = Readonly<Record<string, DataPrice | undefined>>
export interface DatedPrices {
  readonly constraint?:
    | { readonly type: 'start_date'; readonly start_date: string }
    | { readonly type: 'time_of_date'; readonly start_time: string; readonly end_time: string }
  readonly prices: DataPrices
}
export type DataMatch =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: readonly DataMatch[] }
  | { readonly and: readonly DataMatch[] }
export interface DataModel {
  readonly id: string
  readonly name?: string
  readonly match: DataMatch
  readonly context_window?: number
  readonly prices: DataPrices | readonly DatedPrices[]
}

/**
 * Release of the package whose data this is, and the day of that release: prices that start later do not
 * count.
 */
export const priceDataVersion = '0.1.8'
export const pricesAsOf = '2026-09-23'

/**
 * The models of one vendor, as the price package knows them. Only its data are used: its own matcher takes
 * the price of `claude-sonnet-5` for a `claude-sonnet-5-5` that it has never heard of.
 * @throws Error where the package has no such vendor.
 */
export function readPriceData(vendor: string): readonly DataModel[] {
  // Required here and not imported above: half a megabyte that a gateway, which gets the catalogue as a blob,
  // never needs.
  const require = createRequire(import.meta.url)
  const data: typeof import('@pydantic/genai-prices') = require('@pydantic/genai-prices')
  const provider = data.findProvider({ providerId: vendor })
  if (provider === undefined || provider.id !== vendor) throw new Error(`No price data of "${vendor}".`)
  return provider.models
}

/** Whether a match clause of the data takes a name. The data compare without case. */
export function matches(clause: DataMatch, name: string): boolean {
  const lower = name.toLowerCase()
  if ('or' in clause) return clause.or.some((each) => matches(each, name))
  if ('and' in clause) return clause.and.every((each) => matches(each, name))
  if ('equals' in clause) return lower === clause.equals.toLowerCase()
  if ('starts_with' in clause) return lower.startsWith(clause.starts_with.toLowerCase())
  if ('ends_with' in clause) return lower.endsWith(clause.ends_with.toLowerCase())
  if ('contains' in clause) return lower.includes(clause.contains.toLowerCase())
  return new RegExp(clause.regex).test(name)
}
