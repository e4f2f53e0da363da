import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { costComment, costHeader, formatDropped, refusalHeaders } from '../../gateway/answer-headers.ts'
import { headerOf, passedHeaders, retryAfterOf, setHeader } from '../../gateway/upstream/answer-headers.ts'

describe('the header of what was dropped', () => {
  it('is a list of paths', () => {
    expect(formatDropped(['logit_bias', 'messages[].name'])).toBe('logit_bias, messages[].name')
  })

  it('has at most 1 KiB, and says how many more there are', () => {
    const paths = Array.from({ length: 200 }, (_, index) => `messages[].content[].member_${index}`)
    const text = formatDropped(paths)
    expect(text.length).toBeLessThanOrEqual(1024)
    const named = text.split(', ').length - 1
    expect(text.endsWith(`, +${200 - named}`)).toBe(true)
    expect(formatDropped(['x'.repeat(2000)])).toBe('+1')
    expect(formatDropped(['x'.repeat(1024)])).toBe('+1')
  })

  it('cannot be used to write headers', () => {
    expect(formatDropped(['a\r\nset-cookie: b', 'ž'])).toBe('a??set-cookie:?b, ?')
  })
})

describe('a refusal', () => {
  it.each<[Refusal, string[]]>([
    [new Refusal('budget_exhausted'), ['x-should-retry', 'false']],
    [new Refusal('invalid_request'), ['x-should-retry', 'false']],
    [new Refusal('upstream_error', { status: 400 }), ['x-should-retry', 'false']],
    [new Refusal('upstream_error', { status: 429, retryAfterS: 3 }), ['retry-after', '3']],
    [new Refusal('upstream_timeout'), []],
    [new Refusal('connection_unavailable'), ['x-should-retry', 'false']],
  ])('says whether to try again (%#)', (refusal, headers) => {
    expect(refusalHeaders(refusal)).toEqual(headers)
  })
})

it('a cost that is not known is no cost of nothing', () => {
  expect(costHeader(undefined)).toEqual([])
  expect(costHeader(0n)).toEqual(['x-signalbox-cost-usd', '0'])
  expect(costComment(undefined)).toBe(': signalbox cost=unknown\n\n')
})

describe('headers of an upstream', () => {
  it('pass as they are, each value of a list by itself', () => {
    expect(passedHeaders({ 'x-a': '1', link: ['b', 'c'] as never, date: 'now' })).toEqual([
      'x-a',
      '1',
      'link',
      'b',
      'link',
      'c',
    ])
  })

  it('are found by name, never by value', () => {
    const headers = ['x-kind', 'content-type', 'content-type', 'text/plain']
    expect(headerOf(headers, 'content-type')).toBe('text/plain')
    setHeader(headers, 'content-type', 'application/json')
    setHeader(headers, 'x-new', '1')
    expect(headers).toEqual(['x-kind', 'content-type', 'content-type', 'application/json', 'x-new', '1'])
  })

  it.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '7' }, 7],
    [{ 'retry-after': '0.2' }, 1],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 2],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 10],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{}, undefined],
  ])('%o mean a wait of %s s', (headers, seconds) => {
    expect(retryAfterOf(headers, 0)).toBe(seconds)
  })
})
