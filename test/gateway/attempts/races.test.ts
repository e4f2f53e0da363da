import { setTimeout as wait } from 'node:timers/promises'
import type { PlanNode } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Script } from '../../support/scripted-upstream.ts'
import { buildLine, question } from '../line.ts'
import { answers, contentOf, outcomesOf, primary, refuses, sendPlan, spare } from './line.ts'

const line = buildLine({ defaults: { firstTokenMs: 800, idleMs: 800, plainMs: 1500, streamMs: 3000 } })
const raced = (more: object = {}): PlanNode => ({
  strategy: 'hedged',
  of: [{ target: primary }, { target: spare }],
  with: { afterMs: 60, ...more },
})
const late =
  (ms: number, script: Script): Script =>
  async (turn) => {
    await wait(ms)
    if (!turn.socket.destroyed) await script(turn)
  }

describe.each([false, true])('a race, with streams %s', (stream) => {
  const body = { stream }
  const said = (text: string): string =>
    stream ? (/"content":"([^"]+)"/.exec(text)?.[1] ?? '') : contentOf(text)

  it('starts the next target where the first is slow, and gives the slower one up', async () => {
    let gone = false
    line.upstream.play(async (turn) => {
      await turn.closed()
      gone = true
    })
    line.spare.play(answers('from the spare'))
    const { text, record, response } = await sendPlan(line, raced(), { body })
    expect(said(text)).toBe('from the spare')
    expect(outcomesOf(record)).toEqual([`${primary} aborted`, `${spare} ok hedge`])
    expect(record.body.attempts.map(({ winner }) => winner)).toEqual([false, true])
    expect(response.headers.get('x-signalbox-target')).toBe(spare)
    await wait(30)
    expect(gone).toBe(true)
  })

  it('asks nobody else where the first answers in time', async () => {
    line.upstream.play(answers('from the first'))
    const before = line.spare.requests.length
    const { text, record } = await sendPlan(line, raced({ afterMs: 5000 }), { body })
    expect(said(text)).toBe('from the first')
    expect(outcomesOf(record)).toEqual([`${primary} ok`])
    expect(line.spare.requests.length).toBe(before)
  })

  it('is won by the first although another has been started', async () => {
    line.upstream.play(late(120, answers('from the first')))
    line.spare.play(late(500, answers('too late')))
    const { text, record, response } = await sendPlan(line, raced(), { body })
    expect(said(text)).toBe('from the first')
    expect(outcomesOf(record)).toEqual([`${primary} ok`, `${spare} aborted hedge`])
    expect(response.headers.get('x-signalbox-target')).toBe(primary)
    expect(record.row.target).toBe(primary)
  })

  it('goes on at once where one fails', async () => {
    line.upstream.play(refuses(500))
    line.spare.play(answers('from the spare'))
    const { text, ms, record } = await sendPlan(line, raced({ afterMs: 600 }), { body })
    expect(said(text)).toBe('from the spare')
    expect(ms).toBeLessThan(500)
    expect(outcomesOf(record)).toEqual([`${primary} error`, `${spare} ok fallback`])
  })

  it('gives the last failure where nobody answers', async () => {
    line.upstream.play(late(100, refuses(500)))
    line.spare.play(late(100, refuses(503)))
    const { response, record } = await sendPlan(line, raced(), { body })
    expect(response.status).toBe(503)
    expect(outcomesOf(record)).toEqual([`${primary} error`, `${spare} error hedge`])
  })

  it('starts nobody beside the first whose cost is beyond the guard, or not known', async () => {
    line.upstream.play(late(200, answers('from the first')))
    const before = line.spare.requests.length
    const poor = await sendPlan(line, raced({ extraCostNanoUsd: 5 }), { body })
    expect(outcomesOf(poor.record)).toEqual([`${primary} ok`])
    line.upstream.play(late(200, answers('from the first')))
    const unpriced: PlanNode = {
      strategy: 'hedged',
      of: [{ target: primary }, { target: 'spare/unknown' }],
      with: { afterMs: 60, extraCostNanoUsd: 9_000_000_000 },
    }
    expect(outcomesOf((await sendPlan(line, unpriced, { body })).record)).toEqual([`${primary} ok`])
    expect(line.spare.requests.length).toBe(before)
  })

  it('keeps money for each of its legs, within the ceiling of the call', async () => {
    line.upstream.play(late(250, answers('too late')))
    line.spare.play(answers('from the spare'))
    const rest = { caps: { costNanoUsd: 500_000_000 } }
    const paid = await sendPlan(line, raced(), { body: { ...body, max_tokens: 50 }, rest })
    expect(outcomesOf(paid.record)).toEqual([`${primary} aborted`, `${spare} ok hedge`])
    expect(paid.record.body.attempts.map(({ hold }) => hold?.kind)).toEqual(['full', 'full'])
    const [first, second] = paid.record.body.attempts.map(({ hold }) => BigInt(hold?.heldNanoUsd ?? 0))
    expect(first).toBeGreaterThan(0n)

    line.upstream.play(late(250, answers('from the first')))
    const tight = { caps: { costNanoUsd: Number((first ?? 0n) + (second ?? 0n) - 1n) } }
    const kept = await sendPlan(line, raced(), { body: { ...body, max_tokens: 50 }, rest: tight })
    // What the first keeps leaves too little for another leg as it is: it is lowered, or not sent at all.
    const beside = kept.record.body.attempts[1]
    expect(beside?.hold?.kind ?? 'none').not.toBe('full')
  })

  it('ends with everything that it started when the caller goes', async () => {
    line.upstream.play(async (turn) => void (await turn.closed()))
    line.spare.play(async (turn) => void (await turn.closed()))
    const { gateway } = line
    const abort = new AbortController()
    const count = gateway.records.length + 1
    const call = gateway.send(
      '/v1/chat/completions',
      { model: primary, ...question, stream },
      { signal: abort.signal },
    )
    await wait(120)
    abort.abort()
    await expect(call).rejects.toThrow()
    const record = await gateway.lastRecord(count)
    expect(record.row.status).toBe(499)
    expect(record.body.attempts.every(({ outcome }) => outcome === 'aborted')).toBe(true)
  })
})
