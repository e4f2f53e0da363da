import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { connectionOf, memoryKey } from '../support/memory-snapshot.ts'
import { chatStream, messageStream, type Script } from '../support/scripted-upstream.ts'
import { buildLine } from './line.ts'

const line = buildLine({ defaults: { firstTokenMs: 150, idleMs: 150, plainMs: 400, streamMs: 3000 } })
const ask = { model: 'openai/gpt-5.2', input: 'Hello', stream: true }

const head = {
  id: 'resp_7',
  object: 'response',
  status: 'in_progress',
  model: 'gpt-5.2',
  store: true,
  output: [],
}
const usage = { input_tokens: 12, output_tokens: 7, total_tokens: 19 }
/** Events as OpenAI sends them, in order. */
function events(...all: readonly (readonly [string, object])[]): string {
  return all
    .map(
      ([type, rest], index) =>
        `event: ${type}\ndata: ${JSON.stringify({ type, ...rest, sequence_number: index })}\n\n`,
    )
    .join('')
}
const begun = [
  ['response.created', { response: head }],
  ['response.in_progress', { response: head }],
  ['response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'one' }],
] as const

async function send(body: object) {
  const response = await line.gateway.send('/v1/responses', body)
  return { response, text: await response.text(), record: await line.gateway.lastRecord() }
}
function dataOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((each) => each.startsWith('data: '))
    .map((each) => JSON.parse(each.slice(6)))
}

describe('a Responses stream that passes', () => {
  it('is the upstream’s own, byte for byte, and is settled by its last event', async () => {
    const completed = { ...head, status: 'completed', usage }
    const bytes = `: hello\n\n${events(...begun, ['response.completed', { response: completed }])}`
    line.upstream.play((turn) => {
      turn.events(bytes)
      turn.response.end()
    })
    const { response, text, record } = await send(ask)
    expect(text).toBe(bytes)
    expect(response.headers.get('x-signalbox-dropped')).toBeNull()
    expect(line.upstream.requests.at(-1)?.path).toBe('/v1/responses')
    expect(record.row).toMatchObject({ status: 200, truncated: false, evidence: 'reported' })
    expect(record.row.usage).toMatchObject({ input: 12, output: 7 })
    expect(record.row.identity).toBe(true)
  })

  const cuts: [string, Script, string][] = [
    [
      'breaks off',
      (turn) => {
        turn.events(events(...begun))
        turn.response.end()
      },
      'upstream_reset',
    ],
    ['stands still', (turn) => turn.events(events(...begun)), 'upstream_timeout'],
  ]
  it.each(cuts)('ends in its own terms where it %s', async (_name, script, code) => {
    line.upstream.play(script)
    const { text, record } = await send(ask)
    const [error, failed] = dataOf(text).slice(begun.length)
    expect(text.startsWith(events(...begun))).toBe(true)
    expect(error).toMatchObject({ type: 'error', code, sequence_number: 3 })
    expect(failed).toMatchObject({
      type: 'response.failed',
      sequence_number: 4,
      response: { id: 'resp_7', status: 'failed', error: { code } },
    })
    expect(record.row).toMatchObject({ status: 200, truncated: true, errorCode: code, evidence: 'estimated' })
    line.upstream.play(script)
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${line.gateway.url}/v1`, maxRetries: 0 })
    const reading = (async () => {
      const stream = await client.responses.create({ ...ask, stream: true })
      for await (const _event of stream);
    })()
    await expect(reading).rejects.toThrow(OpenAI.APIError)
  })

  it('passes the provider’s own failure and adds nothing', async () => {
    const failed = { ...head, status: 'failed', error: { code: 'server_error', message: 'It broke.' } }
    const bytes = events(...begun, ['response.failed', { response: failed }])
    line.upstream.play((turn) => {
      turn.events(bytes)
      turn.response.end()
    })
    const { text, record } = await send(ask)
    expect(text).toBe(bytes)
    expect(record.row).toMatchObject({ truncated: true, errorCode: 'upstream_error' })
  })
})

describe('a translated Responses stream', () => {
  it.each([
    ['anthropic/claude-sonnet-4-5', () => messageStream('one')],
    ['chat/gpt-5.2', () => chatStream('one')],
  ] as const)('of %s that breaks off ends with an error and a failed answer', async (model, stream) => {
    const baseUrl = `${line.upstream.url}/v1`
    line.gateway.snapshot = line.snapshotOf({
      connections: [
        connectionOf('anthropic', { baseUrl: line.upstream.url }),
        connectionOf('chat', { baseUrl, formats: ['openai-chat'] }),
      ],
    })
    line.upstream.play((turn) => {
      turn.events(stream().slice(0, 3).join(''))
      turn.response.end()
    })
    const { text } = await send({ ...ask, model })
    const all = dataOf(text)
    expect(all.map(({ sequence_number: number }) => number)).toEqual(all.map((_, index) => index))
    expect(all.at(-2)).toMatchObject({ type: 'error', code: 'upstream_reset' })
    expect(all.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { error: { code: 'upstream_reset' } },
    })
    expect(text).not.toContain('response.completed')
  })
})

describe('a refusal', () => {
  it('of the provider passes with its own status and bytes', async () => {
    const body = {
      error: { message: 'No such model', type: 'invalid_request_error', param: 'model', code: 'x' },
    }
    line.upstream.play((turn) => turn.json(400, body))
    const { response, text } = await send({ ...ask, stream: false })
    expect(response.status).toBe(400)
    expect(text).toBe(JSON.stringify(body))
  })

  it('of ours has the form that OpenAI’s clients know', async () => {
    const response = await line.gateway.send('/v1/responses', { ...ask, model: 'no/such' })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({
      error: { code: 'model_not_found', type: 'not_found_error' },
    })
  })
})
