import type { StateLimit } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { limitHeaders, type ShownLimit } from '../../../gateway/limits/limit-headers.ts'

const owner = { kind: 'node', id: 'team-1' } as const
const requests: StateLimit = { id: 'a', owner, unit: 'requests', window: 'minute', limit: 600, mode: 'hard' }
const daily: StateLimit = { ...requests, id: 'b', window: 'day', limit: 10_000 }
const tokens: StateLimit = { ...requests, id: 'c', unit: 'tokens', limit: 200_000 }
const running: StateLimit = { id: 'd', owner, unit: 'concurrency', limit: 5, mode: 'hard' }
const shown: ShownLimit[] = [
  { limit: requests, remaining: 598, resetMs: 41_200 },
  { limit: daily, remaining: 9000, resetMs: 7_200_000 },
  { limit: tokens, remaining: 1500, resetMs: 59_001 },
  { limit: running, remaining: 4, resetMs: 0 },
]
const nowMs = Date.UTC(2026, 10, 22, 10, 0, 0)
const headers = (format: Parameters<typeof limitHeaders>[0]): Record<string, string> => {
  const flat = limitHeaders(format, shown, nowMs)
  return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])))
}

describe('Headers of limits', () => {
  it('say every limit in the standard form', () => {
    expect(headers('gemini')).toEqual({
      'ratelimit-policy':
        '"requests-minute";q=600;qu="requests";w=60, "requests-day";q=10000;qu="requests";w=86400, ' +
        '"tokens-minute";q=200000;qu="tokens";w=60, "concurrency";q=5;qu="concurrent-requests"',
      ratelimit:
        '"requests-minute";r=598;t=42, "requests-day";r=9000;t=7200, "tokens-minute";r=1500;t=60, "concurrency";r=4',
    })
  })

  it('say the tightest of each kind as OpenAI does', () => {
    expect(headers('openai-chat')).toMatchObject({
      'x-ratelimit-limit-requests': '600',
      'x-ratelimit-remaining-requests': '598',
      'x-ratelimit-reset-requests': '42s',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '1500',
      'x-ratelimit-reset-tokens': '1m0s',
    })
  })

  it('say them as Anthropic does, with a time of day', () => {
    expect(headers('anthropic-messages')).toMatchObject({
      'anthropic-ratelimit-requests-limit': '600',
      'anthropic-ratelimit-requests-remaining': '598',
      'anthropic-ratelimit-requests-reset': '2026-11-22T10:00:41Z',
      'anthropic-ratelimit-tokens-limit': '200000',
    })
  })

  it('tell limits of the same kind apart, and are none where there is no limit', () => {
    const [, policy] = limitHeaders(
      'gemini',
      [shown[0], shown[0]].filter((each) => each !== undefined),
      nowMs,
    )
    expect(policy).toContain('"requests-minute-2"')
    expect(limitHeaders('openai-chat', [], nowMs)).toEqual([])
  })
})
