import { request as httpRequest } from 'node:http'
import type { statusOperations, tokenOperations } from '@signalbox/sdk/contract'
import { expect, test } from 'vitest'
import type { Handlers } from '../../control-plane/handler.ts'
import { bodyBytesMaxDefault } from '../../control-plane/request-input.ts'
import { errorOf, serveApp } from './served-app.ts'

const token = {
  id: 'id',
  role: 'viewer',
  node: { id: 'root', path: '' },
  createdMs: 1,
  expiresMs: null,
  lastUsedMs: null,
  revokedMs: null,
} as const
const createToken: Handlers<typeof tokenOperations>['createToken'] = async (_context, { body }) => ({
  ...token,
  name: body.name,
  token: 'sbt_made',
})
const listAudit: Handlers<typeof statusOperations>['listAudit'] = async (_context, { query }) => ({
  items: [
    {
      organisationId: '00000000-0000-7000-8000-000000000000',
      sequence: 1,
      timeMs: 1,
      actor: typeof query.limit,
      action: String(query.limit),
      object: '',
      detail: {},
      previousHash: '',
      hash: '',
    },
  ],
})

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const { request } = await serveApp({ createToken })
  return request('/v1/tokens', { method: 'POST', body, headers })
}

test('a body that fits its schema reaches the handler', async () => {
  const response = await post('{"name":"ci","role":"viewer"}')
  expect(response.status).toBe(201)
  expect(await response.json()).toMatchObject({ name: 'ci', token: 'sbt_made' })
})

test.each<[string, string, string, string | undefined]>([
  ['no JSON', '{"name":\n  oops}', 'not JSON: unexpected end or character at line 2, column 3', undefined],
  ['nothing', ' ', 'A JSON body is needed', undefined],
  ['an array', '[]', 'Body: must be object', undefined],
  ['a member too many', '{"name":"a","role":"viewer","admin":true}', 'unknown member "admin"', undefined],
  ['a member too few', '{"name":"a"}', 'needs the member "role"', undefined],
  ['a wrong type', '{"name":1,"role":"viewer"}', 'name must be string', 'name'],
  ['a wrong word', '{"name":"a","role":"root"}', 'role must be one of owner, admin,', 'role'],
  ['a NUL', '{"name":"a\\u0000b","role":"viewer"}', 'name holds a character that is no text', 'name'],
  ['half a pair', '{"name":"a\\ud800","role":"viewer"}', 'name holds a character that is no text', 'name'],
])('a body with %s is refused with what is wrong', async (_, body, message, param) => {
  const error = await errorOf(await post(body))
  expect(error).toMatchObject({ status: 400, code: 'invalid_request' })
  expect(error.message).toContain(message)
  expect(error.param).toBe(param)
})

test('all that is wrong is said at once', async () => {
  const error = await errorOf(await post('{"name":"","role":"x","more":1}'))
  expect(error.message).toContain('unknown member "more"')
  expect(error.message).toContain('name must NOT have fewer than 1 characters')
  expect(error.message).toContain('role must be one of')
})

test('what is refused is never quoted', async () => {
  const error = await errorOf(await post('{"name": sk-live-geheim}'))
  expect(JSON.stringify(error)).not.toContain('geheim')
})

test('bytes that are no UTF-8 and encoded bodies are refused', async () => {
  expect((await errorOf(await post(new Uint8Array([0x22, 0xff, 0x22])))).message).toContain('not UTF-8')
  expect((await errorOf(await post('x', { 'content-encoding': 'gzip' }))).message).toContain(
    'content encoding',
  )
})

test('a body over the limit is refused by its length before it is read, and by its bytes where it has none', async () => {
  const large = `{"name":"${'a'.repeat(bodyBytesMaxDefault)}"}`
  expect(await errorOf(await post(large))).toMatchObject({ status: 413, code: 'request_too_large' })
  const { url } = await serveApp({ createToken })
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest(`${url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: 'Bearer x' },
    })
    request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
    // Chunked: nobody says beforehand how much comes.
    for (let sent = 0; sent <= bodyBytesMaxDefault; sent += 65_536) request.write(Buffer.alloc(65_536, 0x20))
    request.end()
  })
  expect(status).toBe(413)
})

test('the connection can be used again after a body that was refused', async () => {
  const { request } = await serveApp({ createToken })
  for (let round = 0; round < 3; round++) {
    const body = `{"name":"${'a'.repeat(bodyBytesMaxDefault)}"}`
    expect((await request('/v1/tokens', { method: 'POST', body })).status).toBe(413)
    const good = await request('/v1/tokens', { method: 'POST', body: '{"name":"a","role":"viewer"}' })
    expect(good.status).toBe(201)
  }
})

test('query texts become what the schema wants', async () => {
  const { request } = await serveApp({ listAudit })
  const reply = await (await request('/v1/audit?limit=7')).json()
  expect(reply).toMatchObject({ items: [{ actor: 'number', action: '7' }] })
})

test.each([
  ['limit=seven', 'Query: limit must be integer', 'limit'],
  ['limit=0', 'Query: limit must be >= 1', 'limit'],
  ['limit=1.5', 'Query: limit must be integer', 'limit'],
  ['limit=1&limit=2', 'Query: "limit" stands twice', 'limit'],
  ['colour=red', 'Query: unknown member "colour"', undefined],
])('the query %s is refused', async (query, message, param) => {
  const { request } = await serveApp({ listAudit })
  const error = await errorOf(await request(`/v1/audit?${query}`))
  expect(error).toMatchObject({ status: 400, code: 'invalid_request' })
  expect(error.message).toContain(message)
  expect(error.param).toBe(param)
})

test('an operation without a query takes none', async () => {
  const { request } = await serveApp({})
  expect(await errorOf(await request('/v1/tokens?x=1'))).toMatchObject({
    status: 400,
    code: 'invalid_request',
  })
})

test('a path is checked like all else', async () => {
  const { request } = await serveApp({})
  const long = await errorOf(await request(`/v1/tokens/${'a'.repeat(65)}/revoke`, { method: 'POST' }))
  expect(long).toMatchObject({ status: 400, param: 'id' })
  const nul = await errorOf(await request('/v1/tokens/a%00/revoke', { method: 'POST' }))
  expect(nul.message).toContain('params.id holds a character that is no text')
  const broken = await errorOf(await request('/v1/tokens/%zz/revoke', { method: 'POST' }))
  expect(broken).toMatchObject({ status: 400, code: 'invalid_request' })
})
