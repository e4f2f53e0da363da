import type { IncomingHttpHeaders } from 'node:http'

/** What a provider says is left of one of its limits. */
export interface LimitWindow {
  readonly unit: 'requests' | 'tokens'
  readonly remaining: number
  /** The whole limit; undefined where the provider does not say. */
  readonly limit: number | undefined
  /** Clock time at which the limit is whole again. */
  readonly resetsAtMs: number
}

/** Where a provider says what is left, and not until when. */
const windowMsDefault = 60_000
/** No limit that a provider tells is longer than a day. */
const windowMsMax = 86_400_000
/** Units of one answer that are looked at; providers tell up to six. */
const windowsMax = 8
const openAi = /^x-ratelimit-remaining(?:-(requests|tokens))?(-minute|-hour|-day)?$/
const anthropic = /^anthropic-ratelimit-(requests|tokens|input-tokens|output-tokens)-remaining$/
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function countOf(value: string | string[] | undefined): number | undefined {
  const text = Array.isArray(value) ? value[0] : value
  if (text === undefined || !/^\d{1,15}(\.\d{1,9})?$/.test(text)) return undefined
  return Math.floor(Number(text))
}

/** Durations as `6m0s` and `120ms`, seconds, clock times in seconds or milliseconds, dates. */
function resetOf(value: string | string[] | undefined, nowMs: number): number | undefined {
  const text = Array.isArray(value) ? value[0] : value
  if (text === undefined || text.length > 64) return undefined
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)
    return [...parts].reduce((at, [, count, unit = 's']) => at + Number(count) * (unitsMs[unit] ?? 0), nowMs)
  }
  const number = Number(text)
  if (Number.isFinite(number)) return number > 1e12 ? number : (number > 1e9 ? 0 : nowMs) + number * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : date
}

/** Names of the headers with the limit and its end, beside one with what is left. */
function namesBeside(name: string): readonly [limit: string, reset: string] {
  return [name.replace('remaining', 'limit'), name.replace('remaining', 'reset')]
}

/**
 * What the headers of an answer say is left of the provider's limits; empty for providers that say nothing.
 * OpenAI, Groq and others: `x-ratelimit-remaining-requests|tokens`, with `-limit-` and `-reset-` beside them
 * (platform.openai.com/docs/guides/rate-limits, console.groq.com/docs/rate-limits; Cerebras adds `-minute`, `-day`);
 * OpenRouter: `x-ratelimit-remaining`; Anthropic: `anthropic-ratelimit-*-remaining` with RFC 3339 dates
 * (docs.anthropic.com/en/api/rate-limits). Anything that is no number is passed over.
 */
export function limitsToldBy(headers: IncomingHttpHeaders, nowMs: number): readonly LimitWindow[] {
  const told: LimitWindow[] = []
  for (const name in headers) {
    if (!name.includes('ratelimit-')) continue
    const found = openAi.exec(name) ?? anthropic.exec(name)
    const remaining = found === null ? undefined : countOf(headers[name])
    if (found === null || remaining === undefined || told.length >= windowsMax) continue
    const [limitName, resetName] = namesBeside(name)
    const resetMs = resetOf(headers[resetName], nowMs) ?? nowMs + windowMsDefault
    told.push({
      unit: found[1]?.endsWith('tokens') === true ? 'tokens' : 'requests',
      remaining,
      limit: countOf(headers[limitName]),
      resetsAtMs: Math.min(Math.max(resetMs, nowMs), nowMs + windowMsMax),
    })
  }
  return told
}
