import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asCount, asNumber, isObject, parseExact, parseExactBytes } from '../../../gateway/wire/json-value.ts'

describe('parseExactBytes', () => {
  const long = 'x'.repeat(1_100_000)

  it('finds the numbers that a double cannot hold beside large texts, whatever those hold', () => {
    for (const text of [long, `${long}\\`, `${long}"`, `\\"12345678901234567890${long}\\\\`]) {
      const body = `{"text":${JSON.stringify(text)},"id":12345678901234567890}`
      expect(JSON.stringify(parseExactBytes(Buffer.from(body), JSON.parse(body)))).toBe(body)
    }
  })

  it('gives what is parsed already where only large texts look like numbers', () => {
    const json = { text: `${long} 12345678901234567890 1e999 "`, n: 1.5 }
    expect(parseExactBytes(Buffer.from(JSON.stringify(json)), json)).toBe(json)
  })

  it('looks through a body of many short texts in less time than it takes to parse it', () => {
    const body = Buffer.from(`[${'"",'.repeat(3_000_000)}1]`)
    const timeOf = (work: () => unknown): number => {
      const before = process.cpuUsage()
      work()
      return process.cpuUsage(before).user
    }
    const parsed: unknown[] = []
    const parseUs = timeOf(() => parsed.push(JSON.parse(body.toString('utf8'))))
    expect(timeOf(() => parseExactBytes(body, parsed[0]))).toBeLessThan(2 * parseUs)
  })
})

describe('parseExact', () => {
  it('writes numbers back that a double cannot hold', () => {
    for (const text of [
      '{"id":12345678901234567890}',
      '[-9007199254740993,1e400,0.1234567890123456789]',
      '{"a":{"b":[18446744073709551615]}}',
    ]) {
      expect(JSON.stringify(parseExact(text))).toBe(text)
    }
  })

  it('gives plain values where doubles are enough', () => {
    expect(parseExact('{"a":1.5,"b":[2],"long":"12345678901234567890"}')).toEqual({
      a: 1.5,
      b: [2],
      long: '12345678901234567890',
    })
  })

  it('returns the form that is parsed already where that is exact', () => {
    const json = { a: 1 }
    expect(parseExact('{"a":1}', json)).toBe(json)
  })

  it('means the same as JSON.parse for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(JSON.stringify(parseExact(text)))).toEqual(
          JSON.parse(JSON.stringify(JSON.parse(text))),
        )
      }),
    )
  })

  it('is read as a number all the same, and never as an object', () => {
    const value = parseExact('18446744073709551616')
    expect(asNumber(value)).toBe(2 ** 64)
    expect(asCount(value)).toBeUndefined()
    expect(isObject(value)).toBe(false)
  })
})
