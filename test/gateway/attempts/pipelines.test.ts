import type { PlanNode } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { askForNext } from '../../../gateway/attempts/step-call.ts'
import { runs } from '../../../gateway/attempts/step-signals.ts'
import { allow } from '../../support/memory-snapshot.ts'
import { chatCompletion, message, messageStream, type Script } from '../../support/scripted-upstream.ts'
import { buildLine, question } from '../line.ts'
import { answers, outcomesOf, primary, refuses, sendPlan, spare } from './line.ts'

const line = buildLine({ defaults: { firstTokenMs: 800, idleMs: 800, plainMs: 1500, streamMs: 3000 } })
type Steps = Extract<PlanNode, { pipeline: unknown }>['pipeline']
const polished = (polish: Partial<Steps[number]> = {}): PlanNode => ({
  pipeline: [
    { id: 'draft', node: { target: primary }, onFailure: 'fail' },
    { id: 'polish', node: { target: spare }, onFailure: 'fail', ...polish },
  ],
})

describe.each([false, true])('a pipeline, with streams %s', (stream) => {
  const body = { stream, ...(stream && { stream_options: { include_usage: true } }) }

  it('answers with its last step, which got the draft of the one before; the caller sees nothing of it', async () => {
    line.upstream.play(answers('rough words'))
    line.spare.play(answers('fine words'))
    const { text, record, response } = await sendPlan(line, polished(), { body })
    expect(text).toContain('fine words')
    expect(text).not.toContain('rough words')
    const drafted = line.upstream.requests.at(-1)?.json
    expect(drafted?.stream ?? false).toBe(false)
    expect(drafted).not.toHaveProperty('stream_options')
    expect(line.spare.requests.at(-1)?.json).toMatchObject({
      messages: [
        ...question.messages,
        { role: 'assistant', content: 'rough words' },
        { role: 'user', content: askForNext },
      ],
    })
    expect(outcomesOf(record)).toEqual([`${primary} ok`, `${spare} ok step`])
    expect(record.body.attempts.map(({ step, winner }) => [step, winner])).toEqual([
      ['draft', false],
      ['polish', true],
    ])
    expect(record.body.attempts.every(({ costNanoUsd }) => Number(costNanoUsd) > 0)).toBe(true)
    expect(BigInt(record.row.costNanoUsd ?? 0)).toBe(
      record.body.attempts.reduce((sum, { costNanoUsd }) => sum + BigInt(costNanoUsd ?? 0), 0n),
    )
    expect(record.row.identity).toBe(false)
    expect(response.headers.get('x-signalbox-target')).toBe(spare)
  })

  it('gives the draft where the last step is not needed', async () => {
    line.upstream.play(answers('rough words'))
    const before = line.spare.requests.length
    const onlyIf = { gt: [{ signal: 'draft.chars' }, 100] }
    const { text, record } = await sendPlan(line, polished({ onlyIf }), { body })
    expect(text).toContain('rough words')
    expect(text.trimEnd().endsWith(stream ? 'data: [DONE]' : '}')).toBe(true)
    expect(line.spare.requests.length).toBe(before)
    expect(outcomesOf(record)).toEqual([`${primary} ok`])
    expect(record.body.attempts[0]?.winner).toBe(true)
  })

  it('gives the draft where the last step fails and may', async () => {
    line.upstream.play(answers('rough words'))
    line.spare.play(refuses(500))
    const kept = await sendPlan(line, polished({ onFailure: 'returnPrevious' }), { body })
    expect(kept.text).toContain('rough words')
    expect(kept.record.row).toMatchObject({ status: 200, attempts: 2, target: primary })
    line.upstream.play(answers('rough words'))
    const failed = await sendPlan(line, polished(), { body })
    expect(failed.response.status).toBe(500)
    expect(failed.text).not.toContain('rough words')
  })

  it('goes on with the next part of the plan where a step says so', async () => {
    line.upstream.play(answers('rough words'))
    line.spare.play(refuses(500), answers('another way'))
    const plan: PlanNode = {
      strategy: 'ordered',
      of: [polished({ onFailure: 'nextTarget' }), { target: spare }],
    }
    const { text, record } = await sendPlan(line, plan, { body })
    expect(text).toContain('another way')
    expect(record.row.attempts).toBe(3)
    line.spare.play(answers('not asked'))
    line.upstream.play(refuses(500))
    const first = await sendPlan(line, plan, { body })
    expect(first.response.status).toBe(500)
  })

  it('hands a call of a tool to the caller at once', async () => {
    const tool = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }
    const asks: Script = (turn) => {
      const whole = chatCompletion('') as { choices: [{ message: object; finish_reason: string }] }
      whole.choices[0].message = { role: 'assistant', content: null, tool_calls: [tool] }
      whole.choices[0].finish_reason = 'tool_calls'
      turn.json(200, whole)
    }
    line.upstream.play(asks)
    const before = line.spare.requests.length
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
    const { text } = await sendPlan(line, polished(), { body: { ...body, tools } })
    expect(text).toContain('call_1')
    expect(line.spare.requests.length).toBe(before)
  })
})

it('a pipeline serves callers of another dialect, with steps of another format', async () => {
  line.upstream.play(
    (turn) => turn.json(200, message('rough words')),
    (turn) => {
      turn.events(messageStream('fine words').join(''))
      turn.response.end()
    },
  )
  const node = { target: 'anthropic/claude-sonnet-4-5' }
  const plan: PlanNode = {
    pipeline: [
      { id: 'draft', node, onFailure: 'fail' },
      { id: 'polish', node, onFailure: 'fail' },
    ],
  }
  line.gateway.snapshot = line.snapshotOf({ decide: () => allow(plan) })
  for (const [path, request] of [
    ['/v1/responses', { model: primary, input: 'Hello', stream: true }],
    ['/v1/messages', { model: primary, max_tokens: 50, ...question, stream: true }],
    [
      '/v1beta/models/openai/gpt-5.2:streamGenerateContent?alt=sse',
      { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
    ],
  ] as const) {
    line.upstream.play(
      (turn) => turn.json(200, message('rough words')),
      (turn) => {
        turn.events(messageStream('fine words').join(''))
        turn.response.end()
      },
    )
    const response = await line.gateway.send(path, request)
    const text = await response.text()
    expect([response.status, text.includes('fine words'), text.includes('rough words')], text).toEqual([
      200,
      true,
      false,
    ])
    const { messages } = line.upstream.requests.at(-1)?.json as { messages: { role: string }[] }
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
  }
})

it('a condition of what nobody knows lets its step run', () => {
  const signals = new Map<string, string | number>([['draft.chars', 50]])
  const unknown = { lt: [{ signal: 'draft.confidencePpm' }, 5] }
  const long = { gt: [{ signal: 'draft.chars' }, 100] }
  expect(runs(unknown, signals)).toBe(true)
  expect(runs(long, signals)).toBe(false)
  expect(runs({ all: [unknown, long] }, signals)).toBe(false)
  expect(runs({ any: [unknown, long] }, signals)).toBe(true)
  expect(runs({ not: unknown }, signals)).toBe(true)
  expect(runs({ not: long }, signals)).toBe(true)
  expect(runs(undefined, signals)).toBe(true)
})
