import { createClient } from '@signalbox/sdk'
import type { CallRecord } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { readRelease, refusalOf, startPushing, workspaceFile } from '../pushing.ts'
import { callRecord, packSegment } from '../segment-lines.ts'
import { enrolGateway } from '../test-gateway.ts'
import { workspaceFiles } from '../workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client, gateway, pushVariant } = await startPushing(databaseUrl)
const { db, close } = connectDatabase(databaseUrl, createLogger('test', 'silent'))
afterAll(async () => {
  await controlPlane.stop()
  await close()
})
const environment = 'development'
/** A, B and C. */
const versions: { version: number; digest: string }[] = []
beforeAll(async () => {
  for (const name of ['A', 'B', 'C']) versions.push(await pushVariant(name))
}, 120_000)
const name = (index: number) => `v${versions[index]?.version}`
const numberOf = (index: number) => versions[index]?.version ?? 0
const promote = (index: number, rest: object = {}) =>
  client.promoteVersion({ version: name(index), environment, ...rest })

/** Calls of both arms as a gateway reports them; every `failing`-th of the candidate fails. */
async function report(deployment: string, calls: { stable: number; candidate: number; failing?: number }) {
  const part = { deployment, workspace: 'acme', version: versions[0]?.digest ?? '' }
  const lines: CallRecord[] = []
  for (const arm of ['stable', 'candidate'] as const) {
    for (let call = 0; call < calls[arm]; call++) {
      const failed = arm === 'candidate' && calls.failing !== undefined && call % calls.failing === 0
      const row = { arm, status: failed ? 502 : 200, durationMs: 100 + (call % 20) }
      lines.push(callRecord(row, { rollouts: [{ ...part, arm }] }))
    }
  }
  const sent = await gateway.segment(packSegment(lines), { records: lines.length })
  expect(sent.status).toBe(200)
}

describe('a candidate', () => {
  it('needs something stable to stand beside', async () => {
    const refusal = await refusalOf(promote(1, { canaryPpm: 50_000 }))
    expect(refusal).toMatchObject({ status: 409, code: 'conflict' })
    expect(refusal.message).toContain('promote a version first')
  })

  it('stands beside stable in the release, grows by promoting it again, and is completed by promoting it', async () => {
    await promote(0)
    const { id: team } = await client.createTeam({ name: 'search' })
    const made = await promote(1, { canaryPpm: 50_000, teams: ['search'], reason: 'try it' })
    expect(made).toMatchObject({
      ...{ status: 'live', cause: 'promotion', reason: 'try it', stable: { version: numberOf(0) } },
      candidate: {
        version: numberOf(1),
        ppm: 50_000,
        teams: ['search'],
        by: 'user',
        step: 1,
        rollout: made.id,
      },
    })
    const before = (await readRelease(gateway)).workspaces[0]
    expect(before).toMatchObject({
      deploymentId: made.id,
      stable: versions[0]?.digest,
      candidate: { version: versions[1]?.digest, ppm: 50_000, teams: [team], by: 'user', rollout: made.id },
    })
    const grown = await promote(1, { canaryPpm: 250_000 })
    expect(grown.candidate).toMatchObject({ ppm: 250_000, step: 2, rollout: made.id, teams: ['search'] })
    expect((await readRelease(gateway)).workspaces[0]?.candidate?.salt).toBe(before?.candidate?.salt)
    expect((await promote(1, { canaryPpm: 250_000 })).id).toBe(grown.id)
    const done = await promote(1)
    expect(done).toMatchObject({ stable: { version: numberOf(1) }, candidate: null })
    const { items } = await client.listDeployments({ environment, limit: 4 })
    expect(items.map(({ status }) => status)).toEqual(['live', 'replaced', 'replaced', 'replaced'])
  })

  it('is the only one, and is taken back by a rollback before stable is', async () => {
    await promote(0, { canaryPpm: 10_000 })
    const busy = await refusalOf(promote(2, { canaryPpm: 10_000 }))
    expect(busy.message).toContain(`${name(0)} is being rolled out in development (1%)`)
    expect(await refusalOf(promote(2))).toMatchObject({ code: 'conflict' })
    expect(await refusalOf(promote(1, { canaryPpm: 10_000 }))).toMatchObject({ code: 'conflict' })
    const moved = await refusalOf(promote(0, { canaryPpm: 20_000, by: 'key' }))
    expect(moved.message).toContain('told apart by user')
    const back = await client.rollbackDeployment({ environment })
    expect(back).toMatchObject({ stable: { version: numberOf(1) }, candidate: null, cause: 'rollback' })
    expect((await client.rollbackDeployment({ environment })).stable.version).toBe(numberOf(0))
  })

  it('draws the same callers the next time', async () => {
    await promote(1, { canaryPpm: 10_000 })
    const first = (await readRelease(gateway)).workspaces[0]?.candidate?.salt
    await client.rollbackDeployment({ environment })
    await promote(2, { canaryPpm: 10_000 })
    expect((await readRelease(gateway)).workspaces[0]?.candidate?.salt).toBe(first)
    await client.rollbackDeployment({ environment })
  })

  it('with a share, team, ramp or guard that cannot be is refused', async () => {
    const bad = [
      {
        ramp: [
          { ppm: 500_000, minMs: 0, minCalls: 0 },
          { ppm: 100_000, minMs: 0, minCalls: 0 },
        ],
      },
      { canaryPpm: 10_000, shadow: true },
      { shadowPpm: 100_000 },
      { shadow: true, shadowPpm: 0 },
      { guards: { callsMin: 5 } },
      { canaryPpm: 0 },
      { canaryPpm: 10_000, guards: { cost: { marginPpm: -1, tripPpm: 1, action: 'hold' } } },
    ]
    for (const wish of bad)
      expect(await refusalOf(promote(1, wish))).toMatchObject({ code: 'invalid_request' })
    expect(await refusalOf(promote(1, { teams: ['nobody'] }))).toMatchObject({ code: 'not_found' })
  })
})

describe('a shadow', () => {
  it('looks at a share of the calls, which stands in the release, can be changed, and goes with the last one', async () => {
    const released = async () => (await readRelease(gateway)).workspaces[0]
    expect(await promote(1, { shadow: true, shadowPpm: 100_000 })).toMatchObject({ shadowPpm: 100_000 })
    expect(await released()).toMatchObject({ shadowPpm: 100_000, shadows: [versions[1]?.digest] })
    expect(await promote(2, { shadow: true })).toMatchObject({ shadowPpm: 100_000 })
    expect(await promote(2, { shadow: true, shadowPpm: 500_000 })).toMatchObject({ shadowPpm: 500_000 })
    expect((await released())?.shadowPpm).toBe(500_000)
    const left = await client.rollbackDeployment({ environment, shadow: 'all' })
    expect(left).not.toHaveProperty('shadowPpm')
    expect(await released()).not.toHaveProperty('shadowPpm')
  })
})

describe('the guards', () => {
  it('take a candidate back by themselves, with the evidence in status, history and audit log', async () => {
    const made = await promote(1, { canaryPpm: 100_000, guards: { callsMin: 100, tripCallsMin: 30 } })
    await report(made.id, { stable: 300, candidate: 60, failing: 2 })
    const current = await eventually(async () => {
      const { environments } = await client.getStatus({ environment })
      const [found] = environments[0]?.deployments ?? []
      expect(found).toMatchObject({ cause: 'guard', candidate: null })
      return found
    }, 15_000)
    expect(current?.evidence).toMatchObject({
      ...{ metric: 'upstreamErrors', kind: 'tripwire', by: 'control-plane' },
      stable: { calls: 300, upstreamErrors: 0 },
      candidate: { calls: 60, upstreamErrors: 30 },
    })
    expect(current?.evidence?.records.length).toBe(10)
    const { items } = await client.listAudit({ action: 'guardRollback' })
    expect(items[0]).toMatchObject({ object: `deployment ${current?.id}`, detail: { cause: 'guard' } })
    const was = await client.getDeployment({ id: made.id })
    expect(was).toMatchObject({ status: 'replaced', comparison: { verdict: 'breached' } })
  })

  it('hold a ramp while there are too few calls, and let it go on to the end when there are enough', async () => {
    const step = { minMs: 0, minCalls: 20 }
    const guards = { callsMin: 20 }
    const made = await promote(1, {
      ramp: [
        { ppm: 100_000, ...step },
        { ppm: 500_000, ...step },
        { ppm: 1_000_000, ...step },
      ],
      guards,
    })
    await report(made.id, { stable: 50, candidate: 10 })
    const few = await client.getDeployment({ id: made.id })
    expect(few.comparison).toMatchObject({ verdict: 'waiting', candidate: { calls: 10 } })
    await new Promise((resolve) => setTimeout(resolve, 2200))
    expect((await client.getDeployment({ id: made.id })).status).toBe('live')
    await report(made.id, { stable: 50, candidate: 15 })
    const next = await eventually(async () => {
      const [found] = (await client.listDeployments({ environment, limit: 1 })).items
      expect(found).toMatchObject({ cause: 'ramp', by: 'system', candidate: { ppm: 500_000, step: 2 } })
      return found
    }, 15_000)
    await report(next?.id ?? '', { stable: 30, candidate: 30 })
    await eventually(async () => {
      const [found] = (await client.listDeployments({ environment, limit: 1 })).items
      expect(found).toMatchObject({ cause: 'ramp', stable: { version: numberOf(1) }, candidate: null })
    }, 15_000)
  })

  it('take the word of a gateway whose tripwire has stopped it, once', async () => {
    const made = await promote(2, { canaryPpm: 100_000 })
    const trip = {
      ...{ deployment: made.id, environment, candidate: versions[2]?.digest, calls: 10, failed: 4 },
      ...{ windowMs: 60_000, atMs: Date.now(), records: [], message: 'broken: exception' },
    }
    const tell = async () => {
      const body = JSON.stringify({ incarnation: gateway.incarnation, trip })
      const headers = { 'content-type': 'application/json' }
      const response = await gateway.request('/trips', { method: 'POST', headers, body })
      return (await response.json()) as { rolledBack: boolean }
    }
    expect(await tell()).toEqual({ rolledBack: true })
    expect(await tell()).toEqual({ rolledBack: false })
    const [current] = (await client.listDeployments({ environment, limit: 1 })).items
    expect(current?.evidence).toMatchObject({ by: 'gateway', metric: 'policyErrors', window: { failed: 4 } })
  })
})

describe('a deployment is refused with the reason and the way out', () => {
  it('where somebody else was faster', async () => {
    const [current] = (await client.listDeployments({ environment, limit: 1 })).items
    const revision = current?.revision ?? 0
    await promote(2, { revision })
    const late = await refusalOf(promote(0, { revision }))
    expect(late).toMatchObject({ status: 409, code: 'conflict' })
    expect(late.message).toContain(`${name(2)} by root`)
    const files = workspaceFiles({ 'signalbox.yaml': `${workspaceFile}# late\n` })
    const push = await refusalOf(client.pushVersion({ files, environment, revision }))
    expect(push.message).toContain('Something else was deployed')
  })

  it('where a case of the version failed', async () => {
    const failed = JSON.stringify([
      { file: 'tests/a.cases.yaml', name: 'denies', passed: false, line: 3, column: 1 },
    ])
    await db.execute(sql`update version set cases = ${failed}::jsonb where digest = ${versions[0]?.digest}`)
    const refusal = await refusalOf(promote(0))
    expect(refusal).toMatchObject({ status: 422, code: 'check_failed' })
    expect(refusal.message).toContain('tests/a.cases.yaml:3 "denies"')
    await db.execute(sql`update version set cases = '[]'::jsonb where digest = ${versions[0]?.digest}`)
  })

  it('where a gateway lacks the engine and nothing proves that its own decides the same', async () => {
    const there = await enrolGateway(controlPlane, 'staging')
    await there.hello({ engine: `sha256:${'0'.repeat(64)}` } as Parameters<typeof there.hello>[0])
    // Golden vectors prove it to an engine that is only older.
    await client.promoteVersion({ version: name(0), environment: 'staging' })
    const odd = await pushVariant('odd')
    await db.execute(sql`update version set manifest = jsonb_set(manifest, '{blobs}',
      (select jsonb_agg(each) from jsonb_array_elements(manifest -> 'blobs') each
        where each ->> 'path' <> 'compiled/vectors.ndjson')) where digest = ${odd.digest}`)
    const wish = { version: `v${odd.version}`, environment: 'staging' }
    const refusal = await refusalOf(client.promoteVersion(wish))
    expect(refusal).toMatchObject({ status: 409, code: 'conflict' })
    expect(refusal.message).toContain('staging-1 (test-gateway/1)')
  })

  it('past a freeze, forwards and back, until it ends', async () => {
    const { freeze } = await client.freezeEnvironment({ environment, reason: 'Black Friday' })
    expect(freeze).toMatchObject({ deployments: true, candidates: false, by: 'root' })
    for (const work of [() => promote(0), () => client.rollbackDeployment({ environment })]) {
      const refusal = await refusalOf(work())
      expect(refusal).toMatchObject({ status: 409, code: 'conflict' })
      expect(refusal.message).toContain('Black Friday')
      expect(refusal.message).toContain('signalbox unfreeze --env development')
    }
    expect((await client.getStatus({ environment })).environments[0]?.freeze).toEqual(freeze)
    await client.unfreezeEnvironment({ environment })
    expect((await client.rollbackDeployment({ environment })).cause).toBe('rollback')
  })
})

describe('a freeze of a policy', () => {
  const constraint = { policies: [{ workspace: 'acme', policy: 'no-free' }], reason: 'it denies too much' }

  it('of a constraint needs the role security, of a route it does not', async () => {
    const { token } = await client.createToken({ name: 'ops', role: 'admin' })
    const admin = createClient({ url: controlPlane.url, token })
    const refusal = await refusalOf(admin.freezeEnvironment({ environment, ...constraint }))
    expect(refusal).toMatchObject({ status: 403, code: 'forbidden' })
    const route = { policies: [{ workspace: 'acme', policy: 'switch' }], reason: 'wrong model' }
    expect((await admin.freezeEnvironment({ environment, ...route })).freeze).toMatchObject({
      deployments: false,
    })
    const security = await client.createToken({ name: 'sec', role: 'security' })
    const officer = createClient({ url: controlPlane.url, token: security.token })
    const { freeze } = await officer.freezeEnvironment({ environment, ...constraint })
    expect(freeze?.policies.map(({ policy }) => policy)).toEqual(['switch', 'no-free'])
    const left = await admin.unfreezeEnvironment({ environment, policies: constraint.policies })
    expect(left.freeze?.policies.map(({ policy }) => policy)).toEqual(['switch'])
    await admin.unfreezeEnvironment({ environment })
    expect(await refusalOf(admin.unfreezeEnvironment({ environment }))).toMatchObject({ code: 'conflict' })
  })

  it('that is not there is named with those that are', async () => {
    const policies = [{ workspace: 'acme', policy: 'nothing' }]
    const refusal = await refusalOf(client.freezeEnvironment({ environment, policies, reason: 'x' }))
    expect(refusal.message).toContain('no-free, switch')
  })
})
