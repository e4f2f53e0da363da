import type { Envelope, TreeBlob } from '@signalbox/sdk/contract'
import { createLogger, decodeTrustRoot, digestOf } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { versionBefore } from '../../control-plane/roll-back.ts'
import { createTestDatabase } from '../support/database.ts'
import { openDocument } from './documents/test-publishing.ts'
import { readRelease, refusalOf, startPushing, workspaceFile } from './pushing.ts'
import { enrolGateway } from './test-gateway.ts'
import { workspaceFiles } from './workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client, gateway, pushVariant } = await startPushing(databaseUrl)
const { db, close } = connectDatabase(databaseUrl, createLogger('test', 'silent'))
afterAll(async () => {
  await controlPlane.stop()
  await close()
})

describe('a deployment', () => {
  it('makes a signed release that gateways can verify and load', async () => {
    const pushed = await pushVariant('deployed', 'development')
    const release = await readRelease(gateway)
    expect(pushed.deployment).toMatchObject({
      environment: 'development',
      workspace: 'acme',
      stable: { version: pushed.version, digest: pushed.digest },
      candidate: null,
      release: release.sequence,
      rollbackOf: null,
      by: 'root',
    })
    expect(pushed.environments).toEqual(['development'])
    expect(release).toMatchObject({
      type: 'release/1',
      environment: 'development',
      rollbackOf: null,
      workspaces: [{ name: 'acme', node: { path: [] }, stable: pushed.digest, candidate: null, shadows: [] }],
    })
    const version = release.versions[pushed.digest]
    expect(version).toMatchObject({ number: pushed.version, name: 'acme' })
    const references = Object.values(version ?? {}).flatMap((each) =>
      typeof each === 'object' && 'digest' in each ? [each] : [],
    )
    expect(references).toHaveLength(4)
    for (const { digest, bytes } of references) {
      const blob = Buffer.from(await (await gateway.blob(digest)).arrayBuffer())
      expect(digestOf(blob)).toBe(digest)
      expect(blob.length).toBe(bytes)
    }
    expect(version?.manifest.digest).toBe(pushed.digest)
    expect(digestOf(await (await gateway.blob(release.catalogue)).text())).toBe(release.catalogue)
    const { files } = await client.getVersion({ version: pushed.digest })
    expect((await gateway.blob(files[0]?.digest ?? '')).status).toBe(404)
  })

  it('of what stands there already makes no new release', async () => {
    const before = await readRelease(gateway)
    const again = await pushVariant('deployed', 'development')
    expect(again.deployment?.release).toBe(before.sequence)
    const promoted = await client.promoteVersion({ version: `v${again.version}`, environment: 'development' })
    expect(promoted.id).toBe(again.deployment?.id)
    expect((await readRelease(gateway)).sequence).toBe(before.sequence)
  })

  it('to an environment that is not there, or is frozen, is refused', async () => {
    const nowhere = { version: 'v1', environment: 'nowhere' }
    expect(await refusalOf(client.promoteVersion(nowhere))).toMatchObject({ code: 'not_found' })
    expect(await refusalOf(pushVariant('deployed', 'nowhere'))).toMatchObject({ code: 'not_found' })
    const freeze = (reason: string | null) =>
      db.execute(sql`update environment set freeze_reason = ${reason} where name = 'production'`)
    await freeze('Black Friday')
    const refusal = await refusalOf(client.promoteVersion({ version: 'v1', environment: 'production' }))
    expect(refusal).toMatchObject({ status: 409, code: 'conflict' })
    expect(refusal.message).toContain('Black Friday')
    await freeze(null)
  })

  it('stands in the history and in the audit chain', async () => {
    const { items } = await client.listDeployments({ environment: 'development' })
    expect(items[0]).toMatchObject({ environment: 'development', workspace: 'acme' })
    const rows = (await client.listAudit({ limit: 100 })).items
    const entry = rows.find(({ object }) => object === `deployment ${items[0]?.id}`)
    expect(entry).toMatchObject({
      actor: 'root',
      action: 'pushVersion',
      detail: { environment: 'development' },
    })
    expect(rows.some(({ object }) => object === `version ${items[0]?.stable.digest}`)).toBe(true)
  })
})

describe('a rollback', () => {
  it('goes back step by step, each time with a new release', async () => {
    const environment = 'staging'
    const there = await enrolGateway(controlPlane, environment)
    const versions = [await pushVariant('A'), await pushVariant('B'), await pushVariant('C')]
    const [a, b, c] = versions.map(({ digest }) => digest)
    for (const { version } of versions) await client.promoteVersion({ version: `v${version}`, environment })
    const before = await readRelease(there)
    expect(await refusalOf(client.rollbackDeployment({ environment: 'production' }))).toMatchObject({
      message: 'Nothing is deployed to production.',
    })
    const second = await client.rollbackDeployment({ environment })
    expect(second.stable.digest).toBe(b)
    const release = await readRelease(there)
    expect(release).toMatchObject({ sequence: before.sequence + 1, rollbackOf: null })
    expect(release.workspaces[0]).toMatchObject({ stable: b, deploymentId: second.id })
    const [, third] = (await client.listDeployments({ environment })).items
    expect(third?.stable.digest).toBe(c)
    expect(second.rollbackOf).toBe(third?.id)
    expect((await client.rollbackDeployment({ environment })).stable.digest).toBe(a)
    expect(await refusalOf(client.rollbackDeployment({ environment }))).toMatchObject({ code: 'conflict' })
    const named = await client.rollbackDeployment({ environment, to: `v${versions[2]?.version}` })
    expect(named.stable.digest).toBe(c)
    const same = client.rollbackDeployment({ environment, to: c ?? '' })
    expect(await refusalOf(same)).toMatchObject({ code: 'conflict' })
    expect((await client.listDeployments({ environment })).items).toHaveLength(6)
  })

  it('is refused where nothing is deployed', async () => {
    expect(await refusalOf(client.rollbackDeployment({ environment: 'production' }))).toMatchObject({
      code: 'not_found',
    })
  })

  it('undoes deployments like a stack', () => {
    const history = (...rows: [string, boolean?][]) =>
      rows.map(([stableDigest, back]) => ({ stableDigest, rollbackOf: back === true ? 'x' : null }))
    expect(versionBefore(history(['a']))).toBeUndefined()
    expect(versionBefore(history(['a'], ['b'], ['c']))).toBe('b')
    expect(versionBefore(history(['a'], ['b'], ['c'], ['b', true]))).toBe('a')
    expect(versionBefore(history(['a'], ['b'], ['a', true], ['c']))).toBe('a')
    expect(versionBefore(history(['a'], ['b'], ['a']))).toBe('b')
  })
})

describe('many at once', () => {
  it('deploy one after the other, each release with its own sequence, and the last one stands', async () => {
    const before = await readRelease(gateway)
    const versions = await Promise.all(Array.from({ length: 6 }, (_, index) => pushVariant(`many ${index}`)))
    const numbers = versions.map(({ version }) => version).toSorted((x, y) => x - y)
    expect(new Set(numbers).size).toBe(6)
    expect((numbers.at(-1) ?? 0) - (numbers[0] ?? 0)).toBe(5)
    const deployments = await Promise.all(
      versions.map(({ digest }) => client.promoteVersion({ version: digest, environment: 'development' })),
    )
    const sequences = deployments.map(({ release }) => release).toSorted((x, y) => x - y)
    expect(sequences).toEqual(Array.from({ length: 6 }, (_, index) => before.sequence + 1 + index))
    const last = deployments.find(({ release }) => release === sequences.at(-1))
    expect((await readRelease(gateway)).workspaces[0]).toMatchObject({
      deploymentId: last?.id,
      stable: last?.stable.digest,
    })
  })
})

describe('teams of a workspace', () => {
  const withTeams = (teams: string) =>
    workspaceFiles({
      'signalbox.yaml': `${workspaceFile}teams:\n${teams}`,
    })
  const teamOf = async (path: string) => (await client.listTeams()).items.find((team) => team.path === path)

  it('are made by a deployment, not by a push, and stand in the state', async () => {
    const files = withTeams('  ranking: { limits: { rpm: 600 } }\n  labs: {}\n')
    await client.pushVersion({ files })
    expect(await teamOf('ranking')).toBeUndefined()
    await client.pushVersion({ files, environment: 'development' })
    const ranking = await teamOf('ranking')
    expect(ranking).toMatchObject({ managedBy: 'workspace', kind: 'team' })
    expect(await teamOf('labs')).toMatchObject({ managedBy: 'workspace' })
    const { envelope } = decodeTrustRoot(gateway.trustRoot)
    const body = (await (await gateway.document('state')).json()) as Envelope
    const state = openDocument(body, 'state', envelope)
    if (!('tree' in state)) throw new Error('no state')
    const owner = { kind: 'node', id: ranking?.id }
    expect(state.rateLimits).toMatchObject([{ owner, unit: 'requests', window: 'minute', limit: 600 }])
    const tree = (await (await gateway.blob(state.tree)).json()) as TreeBlob
    expect(tree.nodes.map(({ name }) => name)).toContain('labs')
  })

  it('are updated in the fields that the file names, and never deleted', async () => {
    const { id } = await client.createTeam({ name: 'by-hand' })
    const files = withTeams('  ranking: { limits: { tpm: 1000 } }\n  by-hand: {}\n')
    await client.pushVersion({ files, environment: 'development' })
    expect(await teamOf('by-hand')).toMatchObject({ id, managedBy: 'workspace' })
    expect(await teamOf('labs')).toBeDefined()
    const { items } = await client.listLimits({ team: 'ranking' })
    expect(items.map(({ unit, limit }) => [unit, limit])).toEqual([
      ['requests', 600],
      ['tokens', 1000],
    ])
  })
})

describe('several workspaces', () => {
  it('stand in one release, root first, and need their owning node', async () => {
    const owned = (node: string) =>
      workspaceFiles({
        'signalbox.yaml': `name: zebra\nnode: ${node}\nmodels:\n  smart: [openai/gpt-5.5]\nmetadata:\n  feature: { type: string }\n  tier: { enum: [free, paid] }\n`,
      })
    const nowhere = client.pushVersion({ files: owned('nobody'), environment: 'development' })
    expect(await refusalOf(nowhere)).toMatchObject({ code: 'not_found' })
    const pushed = await client.pushVersion({ files: owned('ranking'), environment: 'development' })
    const release = await readRelease(gateway)
    expect(release.workspaces.map(({ name, node }) => ({ name, path: node.path }))).toEqual([
      { name: 'acme', path: [] },
      { name: 'zebra', path: ['ranking'] },
    ])
    expect(Object.keys(release.versions)).toHaveLength(2)
    expect(release.versions).toHaveProperty(pushed.digest)
    const ambiguous = client.rollbackDeployment({ environment: 'development' })
    expect(await refusalOf(ambiguous)).toMatchObject({ code: 'invalid_request', param: 'workspace' })
    const first = client.rollbackDeployment({ environment: 'development', workspace: 'zebra' })
    expect(await refusalOf(first)).toMatchObject({ code: 'conflict' })
  })
})
