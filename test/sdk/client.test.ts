import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ApiError, createClient, GatewayClient } from '@signalbox/sdk'
import { afterEach, describe, expect, it } from 'vitest'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const own = createServer((request, response) => {
    let body = ''
    request.on('data', (data: Buffer) => {
      body += data.toString('utf8')
    })
    request.on('end', () => answer(request, response, body))
  })
  server = own
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
  const address = own.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

describe('the client of the control plane', () => {
  it('spreads one flat input over path, query and body', async () => {
    const seen: string[] = []
    const url = await serve((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`)
      response.setHeader('content-type', 'application/json').end('{"items":[]}')
    })
    const client = createClient({ url, token: 'sbt_x' })
    await client.getVersionFile({ version: 'v3', path: 'policies/a b.ts' })
    await client.createKey({ team: 'search', name: 'ci' })
    await client.listRecords({ limit: 5, effect: 'deny' })
    await client.revokeKey({ id: 'a/b' })
    expect(seen).toEqual([
      'GET /v1/versions/v3/file?path=policies%2Fa+b.ts Bearer sbt_x ',
      'POST /v1/keys Bearer sbt_x {"team":"search","name":"ci"}',
      'GET /v1/records?effect=deny&limit=5 Bearer sbt_x ',
      'POST /v1/keys/a%2Fb/revoke Bearer sbt_x ',
    ])
  })

  it('throws what the server says, with code and problems', async () => {
    const problem = { severity: 'error', code: 'TS1', file: 'a.ts', line: 1, column: 2, message: 'no' }
    const url = await serve((_, response) => {
      const error = { code: 'check_failed', message: 'bad', problems: [problem], requestId: 'r1' }
      response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    })
    const failure = await createClient({ url, token: 't' })
      .getMe()
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ApiError)
    expect(failure).toMatchObject({ status: 422, code: 'check_failed', problems: [problem], requestId: 'r1' })
  })

  it.each([
    '<html>bad gateway</html>',
    '',
    '{"error":"text"}',
  ])('makes an ApiError of %j too', async (text) => {
    const url = await serve((_, response) => void response.writeHead(502).end(text))
    await expect(createClient({ url, token: 't' }).getMe()).rejects.toMatchObject({ status: 502 })
  })

  it('says which origin it could not reach', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1', token: 't' })
    await expect(client.getMe()).rejects.toMatchObject({
      status: 0,
      message: expect.stringContaining('127.0.0.1:1'),
    })
  })

  it('iterates a stream of events cut anywhere, and ends the request when the loop is left', async () => {
    const text =
      ': hello\n\ndata: {"id":"ü1"}\r\n\r\nevent: x\ndata: {"id":\ndata: "2"}\n\ndata: {"id":"3"}\n\n'
    let closed = false
    const url = await serve((request, response) => {
      request.socket.on('close', () => {
        closed = true
      })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const bytes = Buffer.from(text)
      let at = 0
      const timer = setInterval(() => {
        if (at >= bytes.length) return clearInterval(timer)
        response.write(bytes.subarray(at, at + 7))
        at += 7
      }, 1)
      response.on('close', () => clearInterval(timer))
    })
    const ids: string[] = []
    for await (const row of createClient({ url, token: 't' }).followRecords()) {
      ids.push(row.id)
      if (ids.length === 3) break
    }
    expect(ids).toEqual(['ü1', '2', '3'])
    await expect.poll(() => closed).toBe(true)
  })
})

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`

describe('the client of the gateway', () => {
  it('sends metadata and gives the answer with what was decided', async () => {
    const url = await serve((request, response, body) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-signalbox-decision': 'rec1',
        'x-signalbox-dropped': 'seed, logit_bias',
      })
      const content = `${request.headers['x-signalbox-metadata']} ${JSON.parse(body).stream}`
      response.end(
        JSON.stringify({
          id: 'a',
          model: 'm',
          choices: [{ index: 0, message: { role: 'assistant', content } }],
        }),
      )
    })
    const client = new GatewayClient({ url, key: 'sb_x' })
    const reply = await client.chat({ model: 'smart', messages: [] }, { metadata: { tier: 'free' } })
    expect(reply.choices[0]?.message.content).toBe('{"tier":"free"} false')
    expect(reply.decided).toEqual({
      decision: 'rec1',
      target: null,
      direct: false,
      version: null,
      dropped: ['seed', 'logit_bias'],
    })
  })

  it('streams, and takes an end without [DONE] for what it is', async () => {
    let whole = true
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${chunk('Hel')}${chunk('lo')}${whole ? 'data: [DONE]\n\n' : ''}`)
    })
    const client = new GatewayClient({ url, key: 'sb_x' })
    expect(await (await client.chatStream({ model: 'smart', messages: [] })).text()).toBe('Hello')
    whole = false
    const cut = await client.chatStream({ model: 'smart', messages: [] })
    await expect(cut.text()).rejects.toThrow('before it was complete')
  })

  it('throws an error that arrives in the stream', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${chunk('a')}data: {"error":{"message":"The provider broke off the answer."}}\n\n`)
    })
    const stream = await new GatewayClient({ url, key: 'k' }).chatStream({ model: 'm', messages: [] })
    await expect(stream.text()).rejects.toThrow('broke off')
  })
})
