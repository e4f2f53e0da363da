import type { PlanNode } from '@signalbox/sdk/contract'
import { drillFaults } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { answers, contentOf, outcomesOf, primary, sendPlan, spare } from '../attempts/line.ts'
import { buildLine } from '../line.ts'

const line = buildLine({ defaults: { drillMs: 150 } })
const both: PlanNode = { strategy: 'ordered', of: [{ target: primary }, { target: spare }] }
const drill = (value: string) => ({ headers: { 'x-signalbox-drill': value } })

describe.each([false, true])('a drill, with streams %s', (stream) => {
  it.each([...drillFaults])('of %s proves the fallback, and leaves no trace at the target', async (fault) => {
    line.upstream.play(answers('from the first'))
    line.spare.play(answers('from the spare'))
    const before = line.upstream.requests.length
    const { text, record, response } = await sendPlan(line, both, { ...drill(fault), body: { stream } })
    expect(text).toContain('from the spare')
    expect(response.headers.get('x-signalbox-target')).toBe(spare)
    expect(line.upstream.requests.length).toBe(before)
    const [first, second] = record.body.attempts
    expect(first).toMatchObject({ drill: fault, winner: false, target: primary })
    expect([undefined, '0']).toContain(first?.costNanoUsd)
    expect(second).toMatchObject({ outcome: 'ok', winner: true })
    expect(second).not.toHaveProperty('drill')
    expect(record.row.costNanoUsd).toBe(second?.costNanoUsd)
    expect(line.gateway.health.isCalm).toBe(true)
  })
})

it('a drill fails as many targets as it is told to', async () => {
  line.spare.play(answers('from the spare'))
  const { response, record } = await sendPlan(line, both, drill('500; targets=2'))
  expect(response.status).toBe(500)
  expect(outcomesOf(record)).toEqual([`${primary} error`, `${spare} error fallback`])
})

it('a drill never opens a breaker', async () => {
  line.upstream.play(answers('from the first'))
  line.spare.play(answers('from the spare'))
  for (let time = 0; time < 5; time++) await sendPlan(line, both, drill('refused'))
  const { text } = await sendPlan(line, both)
  expect(contentOf(text)).toBe('from the first')
})

it.each(['501', 'stall; targets=0', 'x y', ''])('"%s" is no drill', async (value) => {
  const { response, text } = await sendPlan(line, both, drill(value))
  expect(response.status).toBe(400)
  expect(text).toContain('x-signalbox-drill')
})
