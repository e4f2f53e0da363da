import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { allow } from '../support/memory-snapshot.ts'
import { chatCompletion, chatStream, message, type Script } from '../support/scripted-upstream.ts'
import { buildLine, question, chat as single } from './line.ts'

const line = buildLine(
  { defaults: { firstTokenMs: 150, idleMs: 150, plainMs: 400, streamMs: 3000, plainBytesMax: 1_000_000 } },
  {
    aliases: {
      both: ['openai/gpt-5.2', 'spare/gpt-5-mini'],
      'closed-first': ['closed/gpt-5.2', 'spare/gpt-5-mini'],
      'claude-first': ['anthropic/claude-sonnet-4-5', 'spare/gpt-5-mini'],
    },
  },
)
const chat = { model: 'both', ...question }

const plainSpare: Script = (turn) => turn.json(200, chatCompletion('from the spare'))
const streamSpare: Script = (turn) => {
  turn.events(chatStream('from the spare').join(''))
  turn.response.end()
}
async function send(body: object, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const response = await line.gateway.send(path, body, { headers })
  return { response, text: await response.text(), record: await line.gateway.lastRecord() }
}
const errorOf = (text: string): Record<string, unknown> => JSON.parse(text).error

/** Ways to fail before anything has reached the caller: what the upstream does, and what the attempt is called. */
const earlyFailures: [string, Script, string][] = [
  ['a reset', (turn) => turn.reset(), 'reset'],
  ['a close without an answer', (turn) => void turn.socket.end(), 'reset'],
  [
    'a 429',
    (turn) => turn.json(429, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }),
    'error',
  ],
  ['a 500', (turn) => turn.json(500, { error: { message: 'oh no' } }), 'error'],
  [
    'a 529',
    (turn) => turn.json(529, { error: { message: 'overloaded', type: 'overloaded_error' } }),
    'error',
  ],
  ['a wrong credential', (turn) => turn.json(401, { error: { message: 'bad key' } }), 'error'],
  [
    'a page in HTML',
    (turn) => void turn.response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad</h1>'),
    'error',
  ],
  [
    'a redirect',
    (turn) => void turn.response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
    'invalid',
  ],
  [
    'an error behind a 200',
    (turn) => turn.json(200, { error: { message: 'overloaded', code: 'server_error' } }),
    'error',
  ],
  ['silence', () => {}, 'timeout'],
  ['nonsense instead of HTTP', (turn) => void turn.socket.end('what?\r\n\r\n'), 'invalid'],
  [
    'a body that is compressed unasked',
    (turn) =>
      void turn.response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync('{}')),
    'invalid',
  ],
]

describe('before anything has reached the caller', () => {
  it.each(earlyFailures)('%s leads to the next target, for a plain call', async (_name, script, outcome) => {
    line.upstream.play(script)
    line.spare.play(plainSpare)
    const { response, text, record } = await send(chat)
    expect([response.status, text]).toEqual([200, JSON.stringify(chatCompletion('from the spare'))])
    expect(response.headers.get('x-signalbox-attempts')).toBe('2')
    expect(response.headers.get('x-signalbox-target')).toBe('spare/gpt-5-mini')
    expect(record.body.attempts.map((each) => [each.outcome, each.winner])).toEqual([
      [outcome, false],
      ['ok', true],
    ])
    expect(line.spare.requests.at(-1)?.json).toMatchObject({ model: 'gpt-5-mini' })
  })

  it.each(earlyFailures)('%s leads to the next target, for a stream', async (_name, script, outcome) => {
    line.upstream.play(script)
    line.spare.play(streamSpare)
    const { response, text, record } = await send({ ...chat, stream: true })
    expect(response.status).toBe(200)
    expect(text).toContain('from the spare')
    expect(record.body.attempts.map((each) => each.outcome)).toEqual([outcome, 'ok'])
  })

  it.each<[string, Script]>([
    [
      'an error as the first event',
      (turn) => turn.events('data: {"error":{"message":"overloaded","code":"server_error"}}\n\n'),
    ],
    ['comments and then nothing', (turn) => turn.events(': processing\n\n')],
    [
      'a stream that ends before it begins',
      (turn) => void turn.response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    ],
    [
      'an end in the first event',
      async (turn) => {
        turn.events('data: {"id":"chatcm')
        await wait(10)
        turn.reset()
      },
    ],
  ])('%s leads to the next target', async (_name, script) => {
    line.upstream.play(script)
    line.spare.play(streamSpare)
    const { text, record } = await send({ ...chat, stream: true })
    expect(text).toBe(
      chatStream('from the spare')
        .filter((event) => !event.includes('prompt_tokens'))
        .join(''),
    )
    expect(record.row).toMatchObject({ attempts: 2, truncated: false, status: 200 })
  })

  it('a refused connection leads to the next target at once', async () => {
    line.spare.play(plainSpare)
    const { response, record } = await send({ ...chat, model: 'closed-first' })
    expect(response.status).toBe(200)
    expect(record.row.durationMs).toBeLessThan(100)
    expect(record.body.attempts[0]).toMatchObject({
      outcome: 'unavailable',
      errorCode: 'upstream_unavailable',
      evidence: 'none',
    })
  })

  it("the caller's own mistake does not", async () => {
    line.upstream.play((turn) =>
      turn.json(400, { error: { message: 'bad temperature', type: 'invalid_request_error' } }),
    )
    line.spare.play(plainSpare)
    const before = line.spare.requests.length
    const { response, text } = await send(chat)
    expect(response.status).toBe(400)
    expect(errorOf(text).message).toBe('bad temperature')
    expect(line.spare.requests.length).toBe(before)
  })

  it('a caller whose time is over gets no further attempt', async () => {
    line.upstream.play(() => {})
    line.spare.play(plainSpare)
    const before = line.spare.requests.length
    const { response, text, record } = await send(chat, { 'x-signalbox-timeout-ms': '60' })
    expect([response.status, errorOf(text).code]).toEqual([504, 'upstream_timeout'])
    expect(line.spare.requests.length).toBe(before)
    expect(record.row.durationMs).toBeLessThan(300)
  })

  it('a plan sets its own times', async () => {
    const of = [{ target: 'openai/gpt-5.2', timeouts: { firstTokenMs: 30 } }, { target: 'spare/gpt-5-mini' }]
    line.gateway.snapshot = line.snapshotOf({ decide: () => allow({ strategy: 'ordered', of }) })
    line.upstream.play(() => {})
    line.spare.play(plainSpare)
    const { record } = await send(single)
    expect(record.row.attempts).toBe(2)
    expect(record.row.durationMs).toBeLessThan(140)
  })

  it('dropped paths are those of the attempt that answered', async () => {
    line.upstream.play((turn) =>
      turn.json(529, { type: 'error', error: { type: 'overloaded_error', message: 'x' } }),
    )
    line.spare.play(plainSpare)
    const { response, record } = await send({ ...chat, model: 'claude-first', logit_bias: { 5: 1 } })
    expect(response.headers.get('x-signalbox-dropped')).toBeNull()
    expect(record.body.dropped).toEqual([])
  })
})

it('the message of another vendor is translated for the caller who gets it', async () => {
  line.upstream.play((turn) => turn.json(200, message('Hi')))
  const { text } = await send({ ...chat, model: 'claude-first' })
  expect(JSON.parse(text)).toMatchObject({ object: 'chat.completion' })
})
