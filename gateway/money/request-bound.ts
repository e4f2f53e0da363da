import type { PriceRow, UsageUnit } from '@signalbox/sdk/contract'
import type { RequestTraits } from './request-traits.ts'

/** What a request can cost at most, as a line: so much for its input, so much for each token of output. */
export interface RequestBound {
  /** Tokens of input at most. */
  readonly inputTokens: number
  /** Tokens of output at most, over all choices; undefined where nothing limits them. */
  readonly outputTokens: number | undefined
  /** A limit of the answer counts this many times: choices, and rounds of tools at the provider. */
  readonly answers: number
  /** Pico-dollars for all of the input, with fees. Undefined where a price is not known. */
  readonly inputPico: bigint | undefined
  /** Pico-dollars for a token of output, at the highest price that may apply. */
  readonly outputPico: bigint
}
export interface BoundInput {
  readonly traits: RequestTraits
  /** Bytes of the body as it goes out. */
  readonly bodyBytes: number
  readonly prices: readonly PriceRow[] | undefined
  readonly contextTokens: number | undefined
  /** Limit of the answer that the provider will keep to; undefined where none is known. */
  readonly outputTokens: number | undefined
  readonly choices: number
  /** Vendor of the model, for what is documented of its images. */
  readonly vendor: string | undefined
}

/**
 * Every token stands for at least one byte of text, and the JSON around it is longer than the provider's own framing.
 * What tools and structured output add to a prompt by themselves is within this; Anthropic documents up to 804.
 */
const framingTokens = 1024
/**
 * Tokens of one image at most, whatever its size: Anthropic scales down to 4,784; at OpenAI the dearest is gpt-4o-mini
 * with 2,833 and 5,667 for each of at most 8 tiles (their pages on vision).
 */
const imageTokensMax: Readonly<Record<string, number>> = { anthropic: 4784, openai: 48_169 }
const inputUnits = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'imageIn', 'audioIn'] as const
const outputUnits = ['output', 'reasoning', 'audioOut'] as const
const picoPerNano = 1000n

function inputTokensOf({ traits, bodyBytes, contextTokens, vendor }: BoundInput): number | undefined {
  const window = contextTokens ?? Number.POSITIVE_INFINITY
  const perImage = imageTokensMax[vendor ?? '']
  const isOpen =
    traits.isOpenEnded || traits.serverTools !== undefined || (traits.images > 0 && perImage === undefined)
  if (isOpen) return contextTokens
  const textBytes = bodyBytes - traits.imageBytes
  return Math.min(window, textBytes + framingTokens + traits.images * (perImage ?? 0))
}

/** The highest price that any row may put on one of these units; undefined where none of them has one. */
function highest(rows: readonly PriceRow[], units: readonly UsageUnit[], tokens: number): number | undefined {
  let found: number | undefined
  for (const row of rows) {
    if (row.inputOver !== undefined && row.inputOver >= tokens) continue
    for (const unit of units) {
      const price = row.units[unit]
      if (price !== undefined && (found === undefined || price > found)) found = price
    }
  }
  return found
}

/** Searches and fees; undefined where they are billed and nobody knows at what price, or how often. */
function feesOf({ traits, prices = [] }: BoundInput, tokens: number): bigint | undefined {
  const request = BigInt(highest(prices, ['requests'], tokens) ?? 0)
  if (traits.serverTools === undefined) return request
  const { usesMax } = traits.serverTools
  const search = highest(prices, ['searches'], tokens)
  return usesMax === undefined || search === undefined
    ? undefined
    : request + BigInt(usesMax) * BigInt(search)
}

/** Bounds a request. Undefined where its input has no bound. */
export function boundOf(input: BoundInput): RequestBound | undefined {
  const once = inputTokensOf(input)
  if (once === undefined) return undefined
  // A tool at the provider makes the model read everything again after each use.
  const rounds = 1 + (input.traits.serverTools?.usesMax ?? 0)
  const inputTokens = once * rounds
  const { prices, outputTokens, choices } = input
  const inputPrice = prices === undefined ? undefined : highest(prices, inputUnits, inputTokens)
  const outputPrice = prices === undefined ? undefined : highest(prices, outputUnits, inputTokens)
  const fees = feesOf(input, inputTokens)
  const isPriced =
    inputPrice !== undefined &&
    outputPrice !== undefined &&
    fees !== undefined &&
    input.traits.pricedTier === undefined
  return {
    inputTokens,
    outputTokens: outputTokens === undefined ? undefined : outputTokens * choices * rounds,
    answers: choices * rounds,
    inputPico: isPriced ? BigInt(inputTokens) * BigInt(inputPrice) + fees : undefined,
    outputPico: BigInt(outputPrice ?? 0),
  }
}

/** Nano-dollars for the input and so many tokens of output, rounded up. */
export function usdAt(bound: RequestBound, outputTokens: number): bigint {
  const pico = (bound.inputPico ?? 0n) + BigInt(outputTokens) * bound.outputPico
  return (pico + picoPerNano - 1n) / picoPerNano
}

/** Amount of a budget's unit for the input and so many tokens of output. */
export function amountAt(bound: RequestBound, unit: 'usd' | 'tokens', outputTokens: number): bigint {
  return unit === 'usd' ? usdAt(bound, outputTokens) : BigInt(bound.inputTokens + outputTokens)
}

/** How many tokens of output an amount pays for after the input; negative where it does not even pay for that. */
export function outputFor(bound: RequestBound, unit: 'usd' | 'tokens', amount: bigint): number {
  if (unit === 'tokens') return Number(amount) - bound.inputTokens
  const left = amount * picoPerNano - (bound.inputPico ?? 0n)
  if (left < 0n) return -1
  return bound.outputPico === 0n ? Number.MAX_SAFE_INTEGER : Number(left / bound.outputPico)
}

/** A target that costs nothing; budgets of money do not concern it. */
export function isFree(bound: RequestBound): boolean {
  return bound.inputPico === 0n && bound.outputPico === 0n
}
