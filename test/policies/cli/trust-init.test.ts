import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCli } from '../../support/run-cli.ts'

/** What the control plane answers: an HTTP status, or 0 where the connection is lost before its answer. */
async function initAgainst(status: number, token?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-trust-'))
  const keyFile = join(folder, 'author.key')
  const server = createServer((request, response) => {
    if (status === 0) return request.socket.destroy()
    const error = { type: 'error', code: 'x', message: 'no' }
    return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const where = { url, dataDir: folder, ...(token !== undefined && { token }) }
  const { code, stderr } = await runCli(where, 'trust', 'init', '--key-file', keyFile)
  server.closeAllConnections()
  server.close()
  const isKept = existsSync(keyFile)
  rmSync(folder, { recursive: true })
  return { code, stderr, isKept }
}

it('takes its key away again where the control plane refuses it, or was not asked', async () => {
  expect(await initAgainst(409, 'sbt_x')).toMatchObject({ code: 1, isKept: false })
  expect(await initAgainst(200)).toMatchObject({ code: 1, isKept: false })
})

it.each([
  0, 500, 503,
])('keeps its key where an answer of %i leaves open whether it counts', async (status) => {
  const { code, stderr, isKept } = await initAgainst(status, 'sbt_x')
  expect({ code, isKept }).toEqual({ code: 1, isKept: true })
  expect(stderr).toContain('signalbox trust show')
})
