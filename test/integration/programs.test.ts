import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiError, GatewayClient } from '@signalbox/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, startControlPlane, startProgram } from '../support/programs.ts'

type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

const folder = mkdtempSync(join(tmpdir(), 'signalbox-programs-'))
let controlPlane: ControlPlane
let gateway: Program
let gatewayEnv: Record<string, string>
let key: string

const yaml = 'name: trial\nmetadata:\n  tier: { enum: [free, paid] }\n'
const denyPolicy = JSON.stringify({
  kind: 'constraint',
  id: 'no-free',
  onError: 'deny',
  rules: [
    {
      id: 'free',
      when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
      then: { deny: { code: 'TIER_BLOCKED', http: 403 } },
    },
  ],
})
const routePolicy = `import { route, rule, use } from '@signalbox/policies'
export default route('switch', { rules: [ rule('polish', { when: f => f.request.metadata.feature === 'polish', then: () => use('anthropic/claude-opus-4-8') }) ] })
`

function push(files: Readonly<Record<string, string>>) {
  return controlPlane.client.pushVersion({
    files: Object.entries(files).map(([path, text]) => ({ path, text })),
    environment: 'development',
  })
}

function call(
  apiKey: string,
  headers: Record<string, string> = {},
  model = 'openai/gpt-5.2',
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  })
}

beforeAll(async () => {
  controlPlane = await startControlPlane(join(folder, 'control-plane'))
  await push({ 'signalbox.yaml': yaml })
  await controlPlane.client.createTeam({ name: 'trial' })
  key = (await controlPlane.client.createKey({ team: 'trial', name: 'first' })).key
  const { token, trustRoot } = await controlPlane.client.enrollGateway({ environment: 'development' })
  gatewayEnv = {
    SIGNALBOX_CONTROL_PLANE_URL: controlPlane.url,
    SIGNALBOX_GATEWAY_TOKEN: token,
    SIGNALBOX_TRUST_ROOT: trustRoot,
    SIGNALBOX_DATA_DIR: join(folder, 'gateway'),
  }
  gateway = await startProgram('gateway', gatewayEnv)
  await gateway.ready()
}, 120_000)

afterAll(async () => {
  await gateway?.stop()
  await controlPlane?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a pushed policy', () => {
  it('decides the next call: a JSON constraint denies with its own code', async () => {
    expect((await call(key)).status).toBe(200)
    const reply = await push({ 'signalbox.yaml': yaml, 'policies/free.policy.json': denyPolicy })
    expect(reply.deployment?.pending).toBeUndefined()
    const denied = await call(key, { 'x-signalbox-metadata': '{"tier":"free"}' })
    expect(denied.status).toBe(403)
    expect(await denied.json()).toMatchObject({ error: { code: 'TIER_BLOCKED' } })
    expect(denied.headers.get('x-signalbox-version')).toBe(`v${reply.version}`)
    expect((await call(key, { 'x-signalbox-metadata': '{"tier":"paid"}' })).status).toBe(200)
  })

  it('decides the next call: a TypeScript route chooses another model', async () => {
    const withFeature = `${yaml}  feature: { type: string }\n`
    await push({ 'signalbox.yaml': withFeature, 'policies/switch.policy.ts': routePolicy })
    const polished = await call(key, { 'x-signalbox-metadata': '{"feature":"polish"}' })
    expect(polished.status).toBe(200)
    expect(polished.headers.get('x-signalbox-target')).toBe('simulated/claude-opus-4-8')
    expect((await call(key)).headers.get('x-signalbox-target')).toBe('simulated/gpt-5.2')
  })

  it('is the same version when it is pushed again', async () => {
    const first = await push({ 'signalbox.yaml': yaml, 'policies/free.policy.json': denyPolicy })
    const again = await push({ 'signalbox.yaml': yaml, 'policies/free.policy.json': denyPolicy })
    expect(again).toMatchObject({ digest: first.digest, version: first.version, created: false })
  })

  it('that does not type-check is refused with its place, and the last good one stays', async () => {
    const wrong = routePolicy.replace('f.request.metadata.feature', 'f.request.colour')
    const failure = await push({ 'signalbox.yaml': yaml, 'policies/wrong.policy.ts': wrong }).catch(
      (error: unknown) => error,
    )
    if (!(failure instanceof ApiError)) throw new Error('the push was not refused')
    expect(failure.code).toBe('check_failed')
    expect(failure.problems[0]).toMatchObject({
      file: 'policies/wrong.policy.ts',
      line: 2,
      severity: 'error',
    })
    expect((await call(key, { 'x-signalbox-metadata': '{"tier":"free"}' })).status).toBe(403)
  })

  it('can be rolled back and promoted', async () => {
    const before = await push({ 'signalbox.yaml': yaml })
    const after = await push({ 'signalbox.yaml': yaml, 'policies/free.policy.json': denyPolicy })
    const back = await controlPlane.client.rollbackDeployment({ environment: 'development' })
    expect(back.stable.version).toBe(before.version)
    expect((await call(key, { 'x-signalbox-metadata': '{"tier":"free"}' })).status).toBe(200)
    await controlPlane.client.promoteVersion({ version: `v${after.version}`, environment: 'development' })
    expect((await call(key, { 'x-signalbox-metadata': '{"tier":"free"}' })).status).toBe(403)
  })
})

describe('administrative writes', () => {
  it('hold on the next request: a new key works, a revoked one fails', async () => {
    const created = await controlPlane.client.createKey({ team: 'trial', name: `k-${Date.now()}` })
    expect(created.pending).toBeUndefined()
    expect((await call(created.key)).status).toBe(200)
    const revoked = await controlPlane.client.revokeKey({ id: created.id })
    expect(revoked.pending).toBeUndefined()
    const refused = await call(created.key)
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: { code: 'key_revoked' } })
  })
})

describe('records', () => {
  it('can be read within a second of their call, and explained with every policy', async () => {
    const answer = await call(key, { 'x-signalbox-metadata': '{"tier":"free"}' })
    const id = answer.headers.get('x-signalbox-decision') ?? ''
    const from = performance.now()
    await expect
      .poll(
        () =>
          controlPlane.client.getRecord({ id }).then(
            () => true,
            () => false,
          ),
        { interval: 20, timeout: 5000 },
      )
      .toBe(true)
    expect(performance.now() - from).toBeLessThan(1000)
    const { policies, reasons, decision } = await controlPlane.client.explainRecord({ id })
    expect(decision?.effect).toBe('deny')
    expect(policies).toContainEqual(
      expect.objectContaining({ id: 'no-free', kind: 'constraint', rule: 'free', outcome: 'denied' }),
    )
    expect(reasons).toContainEqual(expect.objectContaining({ code: 'TIER_BLOCKED' }))
  })
})

describe('a stopped control plane', () => {
  it('is not missed: calls go on, a restarted gateway serves from disk, and records arrive later', async () => {
    await controlPlane.stop()
    expect((await call(key)).status).toBe(200)
    expect(await gateway.stop()).toBe(0)
    gateway = await startProgram('gateway', gatewayEnv)
    await gateway.ready()
    const answer = await call(key)
    expect(answer.status).toBe(200)
    const id = answer.headers.get('x-signalbox-decision') ?? ''
    const port = new URL(controlPlane.url).port
    controlPlane = await startControlPlane(join(folder, 'control-plane'), {
      SIGNALBOX_CONTROL_PLANE_PORT: port,
    })
    await expect
      .poll(
        () =>
          controlPlane.client.getRecord({ id }).then(
            () => true,
            () => false,
          ),
        { timeout: 30_000, interval: 200 },
      )
      .toBe(true)
  })
})

describe('draining', () => {
  it('lets a running stream finish, refuses readiness first, and exits 0', async () => {
    const client = new GatewayClient({ url: gateway.url, key })
    const stream = await client.chatStream({
      model: 'openai/gpt-5.2',
      messages: [{ role: 'user', content: 'Count' }],
    })
    const text = stream.text()
    const exit = gateway.stop()
    expect((await text).length).toBeGreaterThan(0)
    expect(await exit).toBe(0)
    gateway = await startProgram('gateway', gatewayEnv)
    await gateway.ready()
  })
})
