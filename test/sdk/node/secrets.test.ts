import { createSecret, hashSecret, isWellFormedSecret } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'

describe('secrets', () => {
  it('have the documented forms', () => {
    expect(createSecret('key', { environment: 'production' })).toMatch(/^sb_p[0-9A-Za-z]{24}_[0-9A-Za-z]{6}$/)
    expect(createSecret('key', { environment: '9lives' })).toMatch(/^sb_x/)
    expect(createSecret('token')).toMatch(/^sbt_[0-9A-Za-z]{24}_[0-9A-Za-z]{6}$/)
    expect(createSecret('gateway')).toMatch(/^sbg_/)
    expect(createSecret('root')).toMatch(/^sbr_/)
  })

  it('are told from a typing error at every place', () => {
    const secret = createSecret('key')
    expect(isWellFormedSecret(secret)).toBe(true)
    for (let at = 4; at < secret.length; at++) {
      const other = secret[at] === 'a' ? 'b' : 'a'
      expect(isWellFormedSecret(secret.slice(0, at) + other + secret.slice(at + 1))).toBe(false)
    }
  })

  it('use all letters about equally often', () => {
    const counts = new Map<string, number>()
    for (let round = 0; round < 2000; round++) {
      for (const letter of createSecret('token').slice(4, 28))
        counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    for (const count of counts.values()) expect(Math.abs(count - 48_000 / 62)).toBeLessThan(48_000 / 62 / 2)
  })

  it('are stored as SHA-256', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
