import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { Secrets } from '../../../gateway/credentials/sealed-credentials.ts'
import { resolveConnections } from '../../../gateway/documents/resolve-connections.ts'
import { connectionOf, memorySnapshot } from '../../support/memory-snapshot.ts'
import { startGateway } from '../../support/running-gateway.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'signalbox-ca-'))
const caFile = join(folder, 'ca.pem')
const server = createServer({
  cert: readFileSync(fixture('first-cert')),
  key: readFileSync(fixture('first-key')),
})
let baseUrl = ''
beforeAll(async () => {
  copyFileSync(fixture('first-cert'), caFile)
  server.on('request', (request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    const message = { role: 'assistant', content: 'hi' }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function statusWith(ca: string | undefined): Promise<number> {
  const connection = connectionOf('openai', { baseUrl, ...(ca !== undefined && { ca }) })
  const gateway = await startGateway({ snapshot: memorySnapshot({ connections: [connection] }) })
  onTestFinished(() => gateway.close())
  const messages = [{ role: 'user', content: 'hi' }]
  return (await gateway.send('/v1/chat/completions', { model: 'openai/gpt-5.2', messages })).status
}

it('a server is believed by the authority of its connection, and by no other', async () => {
  expect(await statusWith(readFileSync(fixture('first-cert'), 'utf8'))).toBe(200)
  expect(await statusWith(readFileSync(fixture('second-cert'), 'utf8'))).toBe(502)
  expect(await statusWith(undefined)).toBe(502)
})

it('the authority is read from its file; without it the connection is unavailable and says why', () => {
  const [version] = memorySnapshot().versions
  if (version === undefined) throw new Error('no version')
  const sources = { readVariable: () => undefined, secrets: new Secrets() }
  const resolve = (path: string) => {
    const own = { provider: 'openai-compatible', baseUrl, ca: `file:${path}` }
    const compiled = { ...version.compiled, connections: { own } }
    return resolveConnections([{ ...version, compiled }], 'production', sources).get('own')
  }
  expect(resolve(caFile)).toMatchObject({ status: 'available', ca: expect.stringContaining('BEGIN CERT') })
  const absent = join(folder, 'absent.pem')
  expect(resolve(absent)).toMatchObject({ status: 'unavailable', missing: `file:${absent}` })
})
