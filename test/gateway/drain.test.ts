import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectionOf, memorySnapshot } from '../support/memory-snapshot.ts'
import { startGateway } from '../support/running-gateway.ts'
import {
  chatCompletion,
  chatStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream.ts'

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream()
})
afterAll(() => upstream.close())

const chat = { model: 'gpt-5.2', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
const start = () =>
  startGateway({
    snapshot: memorySnapshot({ connections: [connectionOf('openai', { baseUrl: `${upstream.url}/v1` })] }),
  })

it('a gateway that drains finishes what runs, refuses what is new, and closes', async () => {
  let finish: () => void = () => {}
  upstream.play((turn) => {
    const [first = '', ...rest] = chatStream('one')
    turn.events(first)
    finish = () => turn.response.end(rest.join(''))
  })
  const gateway = await start()
  const running = await gateway.send('/v1/chat/completions', chat)
  const drained = gateway.server.drain(5000)
  const readyz = await fetch(`${gateway.url}/readyz`)
  expect([readyz.status, await readyz.json()]).toEqual([503, { status: 'draining' }])
  const refused = await gateway.send('/v1/chat/completions', chat)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('connection')).toBe('close')
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ error: { code: 'draining' } })
  finish()
  expect(await running.text()).toContain('[DONE]')
  expect(await drained).toBe(0)
  expect((await gateway.lastRecord()).row).toMatchObject({ status: 200, truncated: false })
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow()
})

it('a gateway closes with its last answer, which leaves whole, though its caller keeps the connection', async () => {
  const text = 'long '.repeat(1_000_000)
  for (const content of ['short', text]) {
    const answering = Promise.withResolvers<() => void>()
    upstream.play((turn) => answering.resolve(() => turn.json(200, chatCompletion(content))))
    const gateway = await start()
    const answer = gateway.send('/v1/chat/completions', { ...chat, stream: false })
    const finish = await answering.promise
    const drained = gateway.server.drain(5000)
    const startedMs = performance.now()
    finish()
    const whole = await (await answer).text()
    expect(await drained).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(900)
    expect(whole.length).toBeGreaterThan(content.length)
  }
})

it('a gateway without calls drains at once', async () => {
  const gateway = await start()
  const startedMs = performance.now()
  expect(await gateway.server.drain(5000)).toBe(0)
  expect(performance.now() - startedMs).toBeLessThan(500)
})
