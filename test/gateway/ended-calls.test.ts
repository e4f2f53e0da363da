import type { CallRecord } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { EndedCalls } from '../../gateway/ended-calls.ts'
import type { FinishedCall } from '../../gateway/telemetry/telemetry.ts'
import { beginTrail, type Trail } from '../../gateway/trail.ts'
import { eventually } from '../support/eventually.ts'

const identity = { gatewayId: 'gateway-1', incarnation: 'incarnation-1', region: '' }
const spans = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
const trailOf = (id: string): Trail =>
  Object.assign(beginTrail({ id, startMs: 1000, dialect: 'openai-chat', operation: 'chat' }), { endMs: 1005 })

function collect(limits: { readonly batchMax?: number; readonly delayMs?: number; readonly fail?: boolean }) {
  const taken: number[] = []
  const recorded: [number, CallRecord | undefined][] = []
  const finished: FinishedCall[] = []
  const ended = new EndedCalls({
    identity,
    recorder: {
      nextSequence: () => taken.push(taken.length + 1),
      record: (sequence, text) => void recorded.push([sequence, text && JSON.parse(text)]),
    },
    telemetry: {
      callEnded: (call) => {
        if (limits.fail === true) throw new Error('telemetry is broken')
        finished.push(call)
      },
      shutdown: () => Promise.resolve(),
    },
    log: createLogger('ended-calls-test', 'silent'),
    ...limits,
  })
  const add = (trail: Trail): void => ended.add({ trail, spans, httpRoute: '/v1/x', method: 'POST' })
  return { ended, taken, recorded, finished, add }
}

describe('calls that are over', () => {
  it('have their sequence at once and their record a moment later, in order', async () => {
    const { taken, recorded, finished, add } = collect({ delayMs: 5 })
    add(trailOf('one'))
    add(trailOf('two'))
    expect([taken, recorded]).toEqual([[1, 2], []])
    await eventually(() => expect(recorded).toHaveLength(2))
    expect(recorded.map(([sequence, record]) => [sequence, record?.row.id])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ])
    expect(finished.map((call) => call.record.row.id)).toEqual(['one', 'two'])
  })

  it('are not kept waiting where there are many, nor where the gateway ends', async () => {
    const { ended, recorded, add } = collect({ batchMax: 2, delayMs: 60_000 })
    add(trailOf('one'))
    add(trailOf('two'))
    await eventually(() => expect(recorded).toHaveLength(2))
    add(trailOf('three'))
    ended.flush()
    expect(recorded).toHaveLength(3)
  })

  it('are looked on by other versions for their record, when their callers have their answers', () => {
    const { ended, recorded } = collect({})
    const trail = trailOf('one')
    const shadow = { deployment: 'd', version: 2, same: false, effect: 'deny', changed: [] } as const
    const lookOn = (): void => void Object.assign(trail, { shadows: [shadow] })
    ended.add({ trail, spans, httpRoute: '/v1/x', method: 'POST', lookOn })
    expect(trail.shadows).toEqual([])
    ended.flush()
    expect(recorded[0]?.[1]?.body.shadows).toEqual([shadow])
  })

  it('leave a text that says the same as the record that telemetry gets', () => {
    const { ended, recorded, finished, add } = collect({})
    add(trailOf('one'))
    ended.flush()
    expect(recorded[0]?.[1]).toEqual(JSON.parse(JSON.stringify(finished[0]?.record)))
  })

  it('are told as missing where no record can be made of them, and do not hold up others', () => {
    const { ended, recorded, add } = collect({})
    add(Object.assign(trailOf('broken'), { metadata: { amount: 1n } }) as never)
    add(trailOf('two'))
    ended.flush()
    expect(recorded.map(([sequence, record]) => [sequence, record?.row.id])).toEqual([
      [1, undefined],
      [2, 'two'],
    ])
  })

  it('are recorded although telemetry fails', () => {
    const { ended, recorded, add } = collect({ fail: true })
    add(trailOf('one'))
    ended.flush()
    expect(recorded[0]?.[1]?.row.id).toBe('one')
  })
})
