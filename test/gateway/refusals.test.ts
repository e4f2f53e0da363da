import { describe, expect, it } from 'vitest'
import { connectionOf, revokedKey } from '../support/memory-snapshot.ts'
import { buildLine, chat, messages, question } from './line.ts'

const line = buildLine()

describe('a request that is no call', () => {
  const refused = async (
    body: unknown,
    headers: Record<string, string> = {},
    path = '/v1/chat/completions',
  ) => {
    const response = await line.gateway.send(path, body, { headers })
    const { error } = (await response.json()) as { error: Record<string, unknown> }
    return { status: response.status, error, headers: response.headers }
  }

  it('for want of a good key is refused in the dialect and leaves no record', async () => {
    for (const authorization of ['', 'Bearer nonsense', `Bearer ${revokedKey}`]) {
      const openai = await refused(chat, { authorization })
      expect(openai.status).toBe(401)
      expect(openai.headers.get('x-signalbox-decision')).toBeNull()
      const anthropic = await refused(messages, { authorization }, '/v1/messages')
      expect(anthropic).toMatchObject({ status: 401, error: { type: 'authentication_error' } })
    }
    expect(line.gateway.records).toEqual([])
  })

  it('is told where its JSON breaks, and nothing of its text is kept', async () => {
    const { status, error } = await refused('{"model": "gpt-5.2", "messages": [secret]}')
    expect(status).toBe(400)
    expect(error).toMatchObject({ code: 'invalid_request' })
    expect(String(error.message)).toMatch(/not valid JSON \(position \d+\)/)
    const record = await line.gateway.lastRecord()
    expect(record.row).toMatchObject({ status: 400, effect: 'none', errorCode: 'invalid_request' })
    expect(JSON.stringify(record)).not.toContain('secret')
  })

  it.each(['', '[]', '"x"', 'null', '1', '\ufeff{}'])('is a 400 for the body %j', async (body) => {
    expect((await refused(body)).status).toBe(400)
  })

  it.each<[string, object, string]>([
    ['no model', question, 'model'],
    ['a model that is no text', { ...question, model: 5 }, 'model'],
    ['messages that are no list', { model: 'x', messages: 'hi' }, 'messages'],
    ['a wrong role', { model: 'x', messages: [{ role: 5, content: '' }] }, 'messages[0].role'],
    ['a stream that is no boolean', { ...chat, stream: 'yes' }, 'stream'],
  ])('is told the member for %s', async (_name, body, param) => {
    const { status, error } = await refused(body)
    expect(status).toBe(400)
    expect(JSON.stringify(error)).toContain(param)
  })

  it('for a model that is not here gets the nearest names', async () => {
    const { status, error } = await refused({ ...chat, model: 'nobody/gpt-5.2' })
    expect(status).toBe(404)
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(error.message).toContain('openai/gpt-5.2')
    expect((await line.gateway.lastRecord()).row).toMatchObject({
      status: 404,
      modelRequested: 'nobody/gpt-5.2',
    })
  })

  it('for a connection without credential is told what is missing', async () => {
    const dead = { status: 'unavailable', missing: 'OPENAI_API_KEY', credential: undefined } as const
    line.gateway.snapshot = line.snapshotOf({ connections: [connectionOf('openai', dead)] })
    const { status, error, headers } = await refused(chat)
    expect(status).toBe(503)
    expect(error).toMatchObject({ code: 'connection_unavailable' })
    expect(error.message).toContain('OPENAI_API_KEY')
    expect(headers.get('x-should-retry')).toBe('false')
    expect((await line.gateway.lastRecord()).body.selection?.skipped).toHaveLength(1)
  })

  it.each<[string, Record<string, string>, string]>([
    ['metadata that is no JSON', { 'x-signalbox-metadata': '{' }, 'metadata_invalid'],
    ['a time that is none', { 'x-signalbox-timeout-ms': 'soon' }, 'invalid_request'],
    ['an unknown trailer', { 'x-signalbox-trailer': 'horoscope' }, 'invalid_request'],
    ['a compressed body', { 'content-encoding': 'gzip' }, 'invalid_request'],
  ])('is refused for %s', async (_name, headers, code) => {
    expect((await refused(chat, headers)).error).toMatchObject({ code })
  })

  it('before there is any configuration gets a 503', async () => {
    line.gateway.snapshot = undefined
    expect(await refused(chat)).toMatchObject({ status: 503, error: { code: 'not_ready' } })
  })

  it('that ends in an error of ours is a 500 without internals, and recorded', async () => {
    line.gateway.snapshot = line.snapshotOf({
      decide: () => {
        throw new TypeError('cannot read the secret sauce')
      },
    })
    const { status, error } = await refused(chat)
    expect(status).toBe(500)
    expect(JSON.stringify(error)).not.toContain('sauce')
    expect((await line.gateway.lastRecord()).row).toMatchObject({ status: 500, errorCode: 'internal' })
  })
})
