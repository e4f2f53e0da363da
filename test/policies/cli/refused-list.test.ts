import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { runCli } from '../../support/run-cli.ts'

it.each([
  ['budgets', 'refused'],
  ['budgets', 'refused', 'list'],
])('%s %s %s lists as JSON', async (...words) => {
  const reply = { items: [] }
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(reply))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const run = await runCli({ url, token: 'sbt_x', dataDir: tmpdir() }, ...words, '--json')
  server.closeAllConnections()
  server.close()
  expect(run).toEqual({ code: 0, stdout: `${JSON.stringify(reply)}\n`, stderr: '' })
})
