import { expect, it } from 'vitest'
import { BlockBorder } from '../../../gateway/guardrails/block-border.ts'

it('a long run of characters behind a block is looked at once, however many pieces it comes in', () => {
  const border = new BlockBorder('assistant', { chars: 256, run: true })
  border.takes({ type: 'blockEnd', index: 0 })
  border.takes({ type: 'blockStart', index: 1, block: { type: 'text' } })
  const before = process.cpuUsage()
  for (let count = 0; count < 40_000; count++) {
    border.takes({ type: 'blockDelta', index: 1, text: 'a' })
    if (border.isSettled) throw new Error('the run goes on')
  }
  const { user } = process.cpuUsage(before)
  border.takes({ type: 'blockDelta', index: 1, text: ' ' })
  expect(border.isSettled).toBe(true)
  expect(user / 1e6).toBeLessThan(1.5)
})
