import { expect, it } from 'vitest'
import { chatCompletion } from '../../support/scripted-upstream.ts'
import { buildGuardedLine } from './guarded-line.ts'
import { chatStreamAt, readEvents } from './streams.ts'

const answer = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }
const then = { block: { code: 'STOPPED' } }
const line = buildGuardedLine(
  [
    {
      id: 'json',
      direction: 'output',
      scan: { json: { jsonSchema: { schema: answer, repair: true } } },
      then,
    },
    {
      id: 'judge',
      direction: 'output',
      scan: { judge: { judge: { model: 'spare/gpt-5-mini', criteria: 'It is rude.' } } },
      then,
    },
    {
      id: 'moderate',
      direction: 'input',
      scan: { moderation: { moderation: { connection: 'spare' } } },
      then,
    },
    {
      id: 'hook',
      direction: 'input',
      timeoutMs: 300,
      scan: { hook: { webhook: { connection: 'spare', path: '/check' } } },
      then,
    },
    {
      id: 'hook-open',
      direction: 'input',
      timeoutMs: 300,
      scan: { hook: { webhook: { connection: 'spare', path: '/check' } } },
      then,
    },
    { id: 'models', direction: 'input', scan: { models: { models: { deny: ['*gpt-5.2*'] } } }, then },
    {
      id: 'cheap',
      direction: 'input',
      scan: { words: { terms: { any: ['falcon'] } } },
      then: { flag: { code: 'MAYBE' } },
    },
    {
      id: 'chain',
      direction: 'input',
      pipeline: [
        { guardrail: 'cheap', onPass: 'allow', onFail: 'next' },
        { guardrail: 'hook', onError: 'block' },
      ],
    },
    {
      id: 'shadow',
      direction: 'input',
      level: 'shadow',
      scan: { words: { terms: { any: ['falcon'] } } },
      then,
    },
    { id: 'warn', direction: 'input', level: 'warn', scan: { words: { terms: { any: ['falcon'] } } }, then },
    { id: 'seldom', direction: 'input', samplePpm: 1, scan: { words: { terms: { any: ['falcon'] } } }, then },
  ],
  { 'hook-open': { onError: 'pass' } },
  'connections:\n  spare: { provider: openai-compatible, baseUrl: "http://127.0.0.1:1/v1" }\n',
)
const ask = (guard: string, content = 'What is falcon?', more: object = {}): Promise<Response> =>
  line.gateway.send('/v1/chat/completions', {
    model: 'openai/gpt-5.2',
    messages: [{ role: 'user', content }],
    metadata: { guard },
    ...more,
  })
const says = (text: string): void => line.upstream.play((turn) => turn.json(200, chatCompletion(text)))
const textOf = async (response: Response): Promise<unknown> =>
  Object(await response.json()).choices?.[0]?.message?.content

it('JSON that was meant is repaired, in plain answers and in streams, and what is none is stopped', async () => {
  says('Here you are:\n```json\n{"id": 7,}\n```')
  expect(await textOf(await ask('json'))).toBe('{"id": 7}')
  expect((await line.gateway.lastRecord()).body.verdicts).toMatchObject([
    { verdict: 'fail', action: 'repair' },
  ])
  says('No JSON at all')
  expect((await ask('json')).status).toBe(400)
  line.upstream.play((turn) => {
    turn.events(chatStreamAt('text', [...'```json\n{"id":8\n```']))
    turn.response.end()
  })
  expect(readEvents(await (await ask('json', 'Hi', { stream: true })).text()).text).toBe('{"id":8}')
})

it('where an answer does not fit, another target is asked', async () => {
  says('No JSON')
  line.spare.play((turn) => turn.json(200, chatCompletion('{"id":1}')))
  line.gateway.snapshot = {
    ...line.snapshotOf(),
    aliases: new Map([['both', ['openai/gpt-5.2', 'spare/m']]]),
  }
  const response = await ask('json', 'Hi', { model: 'both' })
  expect(response.headers.get('x-signalbox-target')).toBe('spare/m')
  expect(await textOf(response)).toBe('{"id":1}')
})

it('a judge is a model of the workspace, paid for like any other', async () => {
  says('You fool')
  line.spare.play((turn) => turn.json(200, chatCompletion('{"score": 0.9}')))
  const response = await ask('judge')
  expect([response.status, response.headers.get('x-signalbox-target')]).toEqual([400, 'openai/gpt-5.2'])
  const asked = line.spare.requests.at(-1)
  expect(asked?.text).toContain('It is rude.')
  expect(asked?.text).toContain('You fool')
  const { row, body } = await line.gateway.lastRecord()
  expect(row.attempts).toBe(1)
  expect(body.attempts).toMatchObject([
    { winner: true },
    { guardrail: 'judge', outcome: 'ok', usage: { input: 10 } },
  ])
  line.spare.play((turn) => turn.json(200, chatCompletion('I cannot say.')))
  expect((await ask('judge')).status).toBe(503)
})

it('the moderation endpoint is asked at a connection', async () => {
  says('Hi')
  const flagged = { results: [{ categories: { hate: true }, category_scores: { hate: 0.99 } }] }
  line.spare.play((turn) => turn.json(200, flagged))
  expect((await ask('moderate')).status).toBe(400)
  expect(line.spare.requests.at(-1)).toMatchObject({
    path: '/v1/moderations',
    json: { input: 'What is falcon?' },
  })
  line.spare.play((turn) => turn.json(500, {}))
  const failed = await ask('moderate')
  expect([failed.status, await failed.json()]).toMatchObject([503, { error: { code: 'guardrail_failed' } }])
})

it('a service says what it found; where it says nothing in time, that is no pass', async () => {
  says('Hi')
  line.spare.play((turn) => turn.json(200, { pass: true }))
  expect((await ask('hook')).status).toBe(200)
  line.spare.play((turn) => turn.json(200, { pass: false, findings: [{ kind: 'bird', start: 8, end: 14 }] }))
  expect((await ask('hook')).status).toBe(400)
  line.spare.play(() => {})
  expect((await ask('hook')).status).toBe(503)
  expect((await ask('hook-open')).status).toBe(200)
  expect((await line.gateway.lastRecord(4)).body.verdicts).toMatchObject([
    { verdict: 'error', action: 'none' },
  ])
})

it('models may be kept from a call', async () => {
  expect((await ask('models')).status).toBe(400)
})

it('a pipeline asks the dear one only where the cheap one finds something', async () => {
  says('Hi')
  line.spare.play((turn) => turn.json(200, { pass: false }))
  const before = line.spare.requests.length
  expect((await ask('chain', 'Nothing to see')).status).toBe(200)
  expect(line.spare.requests.length).toBe(before)
  expect((await ask('chain')).status).toBe(400)
  expect((await line.gateway.lastRecord(2)).body.verdicts).toMatchObject([
    { guardrail: 'chain', rule: 'hook/hook' },
  ])
})

it('levels: a shadow is for the record, a warning for the caller too, and a sample leaves most out', async () => {
  says('Hi')
  const shadow = await ask('shadow')
  expect([shadow.status, shadow.headers.get('x-signalbox-guardrails')]).toEqual([200, null])
  expect((await line.gateway.lastRecord()).body.verdicts).toMatchObject([
    { level: 'shadow', verdict: 'fail' },
  ])
  const warned = await ask('warn')
  expect([warned.status, warned.headers.get('x-signalbox-guardrails')]).toEqual([200, 'warn=warn=STOPPED'])
  expect((await ask('seldom')).status).toBe(200)
  expect((await line.gateway.lastRecord(3)).body.verdicts).toMatchObject([{ verdict: 'skipped' }])
})
