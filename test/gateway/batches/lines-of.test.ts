import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokenLines, linesOf } from '../../../gateway/batches/lines-of.ts'
import { freePass } from '../../../gateway/money/attempt-hold.ts'
import { createUpstream } from '../../../gateway/upstream/upstream.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

const upstream = createUpstream(() => performance.now())
let server: ScriptedUpstream
beforeAll(async () => {
  server = await startScriptedUpstream()
})
afterAll(async () => {
  await upstream.close()
  await server.close()
})

const noLimit = 60_000
async function read(): Promise<string[]> {
  const exchange = upstream.open({
    request: {
      ...{ method: 'GET', path: '/lines', headers: {}, body: Buffer.alloc(0) },
      ...{ dropped: [], responseDropped: [], addedUsage: false, identity: true },
    },
    ...{ baseUrl: server.url, credentials: {}, permit: freePass, dispatch: undefined },
    limits: {
      ...{ connectMs: noLimit, firstTokenMs: noLimit, idleMs: noLimit, clientIdleMs: noLimit },
      ...{ deadlineMs: Number.POSITIVE_INFINITY, bytesMax: 1e9, waitingBytesMax: 65_536 },
    },
  })
  await exchange.head
  const lines: string[] = []
  for await (const line of linesOf(exchange)) lines.push(line.toString('utf8'))
  return lines
}

it('gives every line of many megabytes in order, while others have their turn', async () => {
  const wanted = Array.from({ length: 6000 }, (_, index) => `${index} ${'é'.repeat(400)}`)
  server.play(({ response }) => void response.end(wanted.join('\n')))
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const lines = await read()
  clearInterval(timer)
  expect(lines).toEqual(wanted)
  expect(turns).toBeGreaterThan(3)
})

it('passes over empty lines, and takes a last one without an end', async () => {
  server.play(({ response }) => void response.end('a\r\n\r\n\nb\n\nc'))
  expect(await read()).toEqual(['a\r', 'b', 'c'])
})

it('says where the lines break off', async () => {
  server.play(({ response, socket }) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('a\nb', () => socket.destroy())
  })
  await expect(read()).rejects.toBeInstanceOf(BrokenLines)
})
