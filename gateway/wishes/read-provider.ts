import { Refusal } from '@signalbox/sdk/contract'
import type { JsonObject } from '../wire/json-value.ts'
import type { Wishes } from './wishes.ts'

/** The members of `provider` that are read; every other one is named as ignored. */
export type ProviderWishes = Pick<
  Wishes,
  | 'alone'
  | 'order'
  | 'only'
  | 'ignore'
  | 'sort'
  | 'inputPicoMax'
  | 'outputPicoMax'
  | 'noTraining'
  | 'noRetention'
  | 'isStrict'
> & { readonly fallback: readonly string[]; readonly ignored: readonly string[] }

const namesMax = 64
const nameLengthMax = 256
/** USD per million tokens → pico-dollars per token. */
const picoPerUsd = 1e6

function refuse(path: string, expected: string): never {
  throw new Refusal('invalid_request', { message: `\`${path}\` must be ${expected}.`, param: path })
}

/** A list of names. @throws Refusal `invalid_request` */
export function namesAt(value: unknown, path: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const isName = (each: unknown): each is string => typeof each === 'string' && each.length <= nameLengthMax
  if (Array.isArray(value) && value.length <= namesMax && value.every(isName)) return value
  return refuse(path, `a list of at most ${namesMax} names`)
}

function flagAt(value: unknown, path: string): boolean | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'boolean' ? value : refuse(path, 'true or false')
}

function priceAt(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined
  const usd = Number(value)
  return Number.isFinite(usd) && usd >= 0
    ? usd * picoPerUsd
    : refuse(path, 'a price in USD per million tokens')
}

const sorts: Readonly<Record<string, Wishes['sort']>> = {
  price: 'price',
  cost: 'price',
  latency: 'latency',
  ttft: 'latency',
  throughput: 'throughput',
  tps: 'throughput',
}
const routings = ['priority', 'balanced', 'cost', 'latency']

/** `sort` is a word, or has it as `by`; `routing` of other clients means the same. */
function sortOf({ sort, routing }: JsonObject): Wishes['sort'] {
  const by = typeof sort === 'object' && sort !== null && 'by' in sort ? sort.by : sort
  if (by !== undefined && by !== null) {
    return sorts[String(by)] ?? refuse('provider.sort', 'one of price, latency, throughput')
  }
  if (routing === undefined || routing === null) return undefined
  if (!routings.includes(String(routing))) refuse('provider.routing', `one of ${routings.join(', ')}`)
  return sorts[String(routing)]
}

const known = new Set([
  ...['order', 'only', 'ignore', 'allow_fallbacks', 'sort', 'routing', 'fallback', 'max_price'],
  ...['require_parameters', 'data_collection', 'zdr'],
])

/** Reads a member `provider` as OpenRouter and Ofox document it. @throws Refusal `invalid_request` */
export function readProvider(provider: JsonObject): ProviderWishes {
  const { max_price: prices, data_collection: collection } = provider
  if (prices !== undefined && prices !== null && typeof prices !== 'object') {
    refuse('provider.max_price', 'an object')
  }
  if (collection !== undefined && collection !== 'deny' && collection !== 'allow') {
    refuse('provider.data_collection', '"allow" or "deny"')
  }
  const { prompt, completion, ...otherPrices } = Object(prices) as JsonObject
  return {
    fallback: namesAt(provider.fallback, 'provider.fallback') ?? [],
    alone: flagAt(provider.allow_fallbacks, 'provider.allow_fallbacks') === false,
    order: namesAt(provider.order, 'provider.order'),
    only: namesAt(provider.only, 'provider.only'),
    ignore: namesAt(provider.ignore, 'provider.ignore'),
    sort: sortOf(provider),
    inputPicoMax: priceAt(prompt, 'provider.max_price.prompt'),
    outputPicoMax: priceAt(completion, 'provider.max_price.completion'),
    noTraining: collection === 'deny',
    noRetention: flagAt(provider.zdr, 'provider.zdr') === true,
    isStrict: flagAt(provider.require_parameters, 'provider.require_parameters') === true,
    ignored: [
      ...Object.keys(otherPrices).map((name) => `provider.max_price.${name}`),
      ...Object.keys(provider)
        .filter((name) => !known.has(name))
        .map((name) => `provider.${name}`),
    ],
  }
}
