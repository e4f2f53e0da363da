import { AddressRanges, clientAddress, parseRanges } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'

describe('ranges of addresses', () => {
  it('hold what lies in them, of both families, and no other', () => {
    const ranges = parseRanges('10.0.0.0/8, 192.0.2.7 ,2001:db8::/32')
    for (const address of ['10.255.0.1', '192.0.2.7', '2001:db8:1::9', '::ffff:10.0.0.1']) {
      expect(ranges.has(address), address).toBe(true)
    }
    for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '', 'localhost', '10.0.0']) {
      expect(ranges.has(address), address).toBe(false)
    }
    expect(new AddressRanges(['0.0.0.0/0']).has('203.0.113.9')).toBe(true)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    'host',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '',
  ])('refuse %o', (text) => {
    expect(() => new AddressRanges([text])).toThrow(RangeError)
  })
})

describe('where a request comes from', () => {
  const proxies = parseRanges('10.0.0.0/8')

  it('is the peer, whatever he says, where he is no proxy', () => {
    expect(clientAddress('203.0.113.9', '10.1.1.1', undefined)).toBe('203.0.113.9')
    expect(clientAddress('203.0.113.9', '10.1.1.1', proxies)).toBe('203.0.113.9')
    expect(clientAddress('::ffff:203.0.113.9', undefined, proxies)).toBe('203.0.113.9')
  })

  it('is the nearest address that is no proxy, not one that the caller put in front', () => {
    expect(clientAddress('10.0.0.1', '198.51.100.7', proxies)).toBe('198.51.100.7')
    expect(clientAddress('10.0.0.1', '192.168.0.1, 198.51.100.7, 10.0.0.2', proxies)).toBe('198.51.100.7')
    expect(clientAddress('10.0.0.1', ['1.1.1.1', '[2001:db8::1]:443'], proxies)).toBe('2001:db8::1')
    expect(clientAddress('10.0.0.1', 'unknown', proxies)).toBe('10.0.0.1')
  })
})
