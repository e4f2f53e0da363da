import { describe, expect, it } from 'vitest'
import { readCacheHeaders } from '../../../gateway/wishes/read-cache.ts'
import { answers } from '../attempts/line.ts'
import { buildLine, chat } from '../line.ts'

describe('what callers say of the cache in the words of other gateways', () => {
  it.each([
    [{ 'cf-aig-cache-ttl': '3600' }, { mode: 'use', ttlMs: 3_600_000 }],
    [{ 'cf-aig-cache-ttl': '99999999' }, { mode: 'use', ttlMs: 604_800_000 }],
    [{ 'cf-aig-cache-ttl': '60', 'cf-aig-skip-cache': 'true' }, { mode: 'off' }],
    [{ 'helicone-cache-enabled': 'true' }, { mode: 'use' }],
    [
      { 'helicone-cache-enabled': 'true', 'cache-control': 'public, max-age=120' },
      { mode: 'use', ttlMs: 120_000 },
    ],
    [{ 'helicone-cache-enabled': 'false' }, { mode: 'off' }],
    [
      { 'x-openrouter-cache': 'true', 'x-openrouter-cache-ttl': '30' },
      { mode: 'use', ttlMs: 30_000 },
    ],
    [{ 'x-openrouter-cache': 'true', 'x-openrouter-cache-clear': 'true' }, { mode: 'refresh' }],
    [{ 'x-portkey-cache-force-refresh': 'true' }, { mode: 'refresh' }],
    [{ 'cache-control': 'max-age=60' }, undefined],
  ])('%j is %j', (headers, asked) => expect(readCacheHeaders(headers)).toEqual(asked))

  it('is refused where it is not of its form', () => {
    for (const headers of [{ 'cf-aig-cache-ttl': 'long' }, { 'helicone-cache-enabled': 'yes' }]) {
      expect(() => readCacheHeaders(headers)).toThrow('must be')
    }
  })
})

describe('a call with such headers', () => {
  const line = buildLine()
  const ask = async (headers: Record<string, string>) => {
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, seed: 5 }, { headers })
    await response.text()
    const [cache, dropped] = ['cache', 'dropped'].map((name) => response.headers.get(`x-signalbox-${name}`))
    return { cache, dropped }
  }
  it('is cached, and nobody calls the wish ignored; our own header comes first', async () => {
    line.upstream.play(answers('hello'))
    expect(await ask({ 'cf-aig-cache-ttl': '60' })).toEqual({ cache: 'miss', dropped: null })
    expect(await ask({ 'Helicone-Cache-Enabled': 'true' })).toEqual({ cache: 'hit', dropped: null })
    expect((await ask({ 'cf-aig-cache-ttl': '60', 'x-signalbox-cache': 'off' })).cache).toBe('off')
    expect((await ask({ 'cf-aig-skip-cache': 'true' })).cache).toBe('off')
    expect((await ask({ 'x-portkey-cache-namespace': 'a' })).dropped).toBe('x-portkey-cache-namespace')
  })
})
