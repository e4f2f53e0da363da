import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GatewayClient } from '@signalbox/sdk'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { type Program, startControlPlane, startProgram } from '../support/programs.ts'
import { chatCompletion, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'signalbox-direct-'))
let controlPlane: Awaited<ReturnType<typeof startControlPlane>>
let upstream: ScriptedUpstream
let provider: ScriptedUpstream
let gateway: Program
let gatewayEnv: Record<string, string>
let key: string

async function startGateway(): Promise<void> {
  gateway = await startProgram('gateway', gatewayEnv)
  await gateway.ready()
}

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  provider = await startScriptedUpstream()
  controlPlane = await startControlPlane(join(folder, 'control-plane'))
  const { client } = controlPlane
  const connection = `{ provider: openai, baseUrl: "${upstream.url}/v1", credential: env:OPENAI_API_KEY }`
  const text = `name: trial\nconnections:\n  openai: ${connection}\n`
  await client.pushVersion({ files: [{ path: 'signalbox.yaml', text }], environment: 'development' })
  await client.createTeam({ name: 'trial' })
  key = (await client.createKey({ team: 'trial', name: 'direct', scopes: { direct: true } })).key
  const { token, trustRoot } = await client.enrollGateway({ environment: 'development' })
  gatewayEnv = {
    SIGNALBOX_CONTROL_PLANE_URL: controlPlane.url,
    SIGNALBOX_GATEWAY_TOKEN: token,
    SIGNALBOX_TRUST_ROOT: trustRoot,
    SIGNALBOX_DATA_DIR: join(folder, 'gateway'),
    SIGNALBOX_GATEWAY_PORT: String(await freePort()),
    OPENAI_API_KEY: 'sk-of-the-gateway',
  }
  await startGateway()
}, 180_000)

afterAll(async () => {
  await gateway?.stop()
  await controlPlane?.stop()
  await upstream?.close()
  await provider?.close()
  rmSync(folder, { recursive: true, force: true })
})

it('callers see an answer to every call while the gateway is killed under load, and it is told of them when it is back', async () => {
  upstream.play((turn) => void setTimeout(() => turn.json(200, chatCompletion('Through the gateway')), 30))
  provider.play((turn) => turn.json(200, chatCompletion('Directly')))
  const openai = { key: 'sk-of-the-program', baseUrl: `${provider.url}/v1` }
  const client = new GatewayClient({ url: gateway.url, key, direct: { openai } })
  const ask = { model: 'openai/gpt-5.2', messages: [{ role: 'user' as const, content: 'Hello' }] }
  await client.chat(ask)
  await expect.poll(() => client.direct?.isAllowed, { timeout: 10_000 }).toBe(true)

  const killed = gateway
  const answers = await Promise.all(
    Array.from({ length: 400 }, async (_, at) => {
      await new Promise((resolve) => setTimeout(resolve, at * 5))
      if (at === 200) void killed.stop('SIGKILL')
      const { choices, decided } = await client.chat(ask)
      return [choices[0]?.message.content, decided.direct] as const
    }),
  )
  expect(killed.process.signalCode).toBe('SIGKILL')
  const direct = answers.filter(([text, isDirect]) => isDirect && text === 'Directly').length
  const through = answers.filter(([text, isDirect]) => !isDirect && text === 'Through the gateway').length
  expect(direct + through).toBe(400)
  expect(direct).toBeGreaterThanOrEqual(200)
  expect(through).toBeGreaterThan(50)
  expect(provider.requests.length).toBe(direct)
  expect(client.direct?.untold).toBe(direct)

  await startGateway()
  expect((await client.chat(ask)).decided.direct).toBe(false)
  await expect.poll(() => client.direct?.untold, { timeout: 20_000 }).toBe(0)
  const told = async () => {
    const { items } = await controlPlane.client.listRecords({ limit: 500 })
    return items.filter((each) => each.direct === true).length
  }
  await expect.poll(told, { timeout: 20_000, interval: 200 }).toBe(direct)
}, 120_000)
