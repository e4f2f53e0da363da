import * as node from '@signalbox/sdk/node'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as browser from '../../../sdk/browser/index.ts'

it('digests texts and bytes of any length as Node does', () => {
  for (let length = 0; length < 130; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256)
    expect(browser.digestOf(bytes)).toBe(node.digestOf(bytes))
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(browser.digestOf(text)).toBe(node.digestOf(text))
    }),
    { numRuns: 30 },
  )
})
