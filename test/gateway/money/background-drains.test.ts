import { describe, expect, it } from 'vitest'
import { AttemptHold } from '../../../gateway/money/attempt-hold.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { chatStream } from '../../support/scripted-upstream.ts'
import { chat } from '../line.ts'
import { hardSetOf, startBudgeted } from './budgeted-gateway.ts'

const body = { ...chat, max_tokens: 100, stream: true }

/** A caller who goes away after the first event, and a provider that writes on. */
async function leave(drainLimits: { drainsMax: number; spanMs: number }, isEndless = false) {
  const ledger = new MemoryLedger().add('b', 1_000_000_000n)
  const started = await startBudgeted({ ledger, gateway: { drainLimits } })
  const { ask, upstream, reported, gateway, dispatched } = started
  const controller = new AbortController()
  const left = Promise.withResolvers<void>()
  upstream.play(async (turn) => {
    const [first = '', ...rest] = chatStream('Hel', 'lo')
    turn.events(first)
    await left.promise
    await new Promise((resolve) => setTimeout(resolve, 30))
    if (isEndless) return
    for (const event of rest) turn.response.write(event)
    turn.response.end()
  })
  const response = await ask(body, { signal: controller.signal })
  await response.body?.getReader().read()
  controller.abort()
  left.resolve()
  await reported()
  return {
    settled: ledger.get('b').settled,
    held: dispatched[0]?.heldNanoUsd,
    record: await gateway.lastRecord(),
  }
}

describe('an answer whose caller has gone, of a provider that bills on', () => {
  it('is read to its end, so that it costs what it cost', async () => {
    const { settled, record } = await leave({ drainsMax: 1, spanMs: 2000 })
    expect(settled).toBe(20_000n)
    expect(record.row.errorCode).toBe('client_closed')
  })

  it('costs its whole hold where too many are read already', async () => {
    const { settled, held, record } = await leave({ drainsMax: 0, spanMs: 2000 })
    expect(settled).toBe(held)
    expect(record.body.attempts[0]?.hold?.evidence).toBe('hold')
  })

  it('is not asked for, to be read for nobody, where its caller has gone before that', async () => {
    const { gateway } = await startBudgeted()
    const set = hardSetOf('b')
    const own = gateway.money.takeUpTo(set, 0n, { callId: 'c', attempt: 0 })
    const hold = new AttemptHold({
      ...{ kind: 'full', bound: undefined, holds: [own], outputTokens: 0, clampTo: undefined },
      ...{
        capLeft: undefined,
        isVisible: false,
        stopsBilling: false,
        wouldRefuse: [],
        priceDigest: undefined,
      },
    })
    expect(hold.billsOn).toBe(false)
    hold.dispatch()
    expect(hold.billsOn).toBe(true)
    hold.close(0)
  })

  it('costs its whole hold where it takes too long', async () => {
    const { settled, held } = await leave({ drainsMax: 1, spanMs: 50 }, true)
    expect(settled).toBe(held)
  })
})
