import { describe, expect, it } from 'vitest'
import { connectionOf } from '../support/memory-snapshot.ts'
import { chatCompletion, type Script } from '../support/scripted-upstream.ts'
import { buildLine, question, chat as single } from './line.ts'

const line = buildLine({
  defaults: { firstTokenMs: 150, idleMs: 150, plainMs: 400, streamMs: 3000, plainBytesMax: 1_000_000 },
})
const secret = 'upstream-secret-0123456789'

async function send(body: object, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const response = await line.gateway.send(path, body, { headers })
  return { response, text: await response.text(), record: await line.gateway.lastRecord() }
}
const errorOf = (text: string): Record<string, unknown> => JSON.parse(text).error

describe('where no target is left', () => {
  it("the provider's own error passes with its status and bytes", async () => {
    const body = '{ "error": {"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}'
    line.upstream.play((turn) => {
      turn.response.writeHead(429, {
        'content-type': 'application/json',
        'retry-after': '7',
        'x-ratelimit-limit': '5',
      })
      turn.response.end(body)
    })
    const { response, text, record } = await send(single)
    expect([response.status, text]).toEqual([429, body])
    expect(response.headers.get('retry-after')).toBe('7')
    expect(response.headers.get('x-ratelimit-limit')).toBeNull()
    expect(response.headers.get('x-signalbox-decision')).toBe(record.row.id)
    expect(record.row).toMatchObject({ status: 429, errorCode: 'upstream_error', evidence: 'none' })
    expect(JSON.stringify(record)).not.toContain('Rate limit reached')
  })

  it.each<[string, Script, number, string]>([
    ['a reset', (turn) => turn.reset(), 502, 'upstream_reset'],
    ['silence', () => {}, 504, 'upstream_timeout'],
    [
      'a redirect',
      (turn) => void turn.response.writeHead(301, { location: '/' }).end(),
      502,
      'upstream_invalid',
    ],
    [
      'text that is no JSON',
      (turn) => void turn.response.writeHead(200).end('hello'),
      502,
      'upstream_invalid',
    ],
    [
      'an answer that is too long',
      (turn) => turn.json(200, chatCompletion('x'.repeat(1_000_001))),
      502,
      'upstream_invalid',
    ],
    [
      'a page in HTML',
      (turn) => void turn.response.writeHead(500).end(`<html>${'x'.repeat(5000)}`),
      502,
      'upstream_error',
    ],
    ['an error behind a 200', (turn) => turn.json(200, { error: { message: 'x' } }), 502, 'upstream_error'],
  ])('%s is a typed error in each dialect', async (_name, script, status, code) => {
    line.upstream.play(script)
    for (const streamed of [false, true]) {
      const openai = await send({ ...single, stream: streamed })
      expect([openai.response.status, errorOf(openai.text).code]).toEqual([status, code])
      expect(openai.text.length).toBeLessThan(1000)
      expect(openai.record.row).toMatchObject({ status, errorCode: code })
    }
    const body = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 9, ...question }
    const anthropic = await send(body, {}, '/v1/messages')
    expect(anthropic.response.status).toBe(status)
    expect(JSON.parse(anthropic.text)).toMatchObject({
      type: 'error',
      error: { type: expect.stringMatching(/_error$/) },
    })
  })

  it("another format's error is mapped: its status where it is the caller's affair, its words where they help", async () => {
    const ask = { model: 'anthropic/claude-sonnet-4-5', ...question }
    const error = (type: string, text: string) => ({ type: 'error', error: { type, message: text } })
    line.upstream.play((turn) => turn.json(400, error('invalid_request_error', 'prompt is too long')))
    const tooLong = await send(ask)
    expect(tooLong.response.status).toBe(400)
    expect(errorOf(tooLong.text).message).toContain('prompt is too long')
    line.upstream.play((turn) =>
      turn.json(429, error('rate_limit_error', 'account acme-7'), { 'retry-after': '3' }),
    )
    const limited = await send(ask)
    expect([limited.response.status, limited.response.headers.get('retry-after')]).toEqual([429, '3'])
    expect(limited.text).not.toContain('acme-7')
    line.upstream.play((turn) => turn.json(401, error('authentication_error', `invalid key ${secret}`)))
    const unauthorised = await send(ask)
    expect(unauthorised.response.status).toBe(502)
    expect(unauthorised.text).not.toContain(secret)
  })

  it('a connection that is not safe is no connection', async () => {
    const secure = line.upstream.url.replace('http:', 'https:')
    line.gateway.snapshot = line.snapshotOf({
      connections: [connectionOf('openai', { baseUrl: `${secure}/v1` })],
    })
    const { response, text, record } = await send(single)
    expect([response.status, errorOf(text).code]).toEqual([502, 'upstream_unavailable'])
    expect(record.body.attempts[0]).toMatchObject({ outcome: 'unavailable', evidence: 'none' })
  })

  it('an error that repeats our credential is not passed', async () => {
    line.upstream.play((turn) => turn.json(401, { error: { message: JSON.stringify(turn.request.headers) } }))
    const { response, text, record } = await send(single)
    expect(response.status).toBe(502)
    expect(text + JSON.stringify(record)).not.toContain(secret)
  })
})
