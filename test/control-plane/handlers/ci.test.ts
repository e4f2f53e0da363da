import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from '@signalbox/sdk'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { startTestControlPlane, type TestControlPlane } from '../test-control-plane.ts'

const databaseUrl = await createTestDatabase()
const keys = await generateKeyPair('RS256', { extractable: true })
const stranger = await generateKeyPair('RS256')
const issuerServer = createServer(async (request, response) => {
  const body = request.url?.includes('openid-configuration')
    ? { issuer, jwks_uri: `${issuer}/keys` }
    : { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }] }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
})
await new Promise<void>((resolve) => issuerServer.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}`
const sha = 'a'.repeat(40)
const job = { repository: 'acme/policies', ref: 'refs/heads/main', sha, run_id: '4711' }
let plane: TestControlPlane

beforeAll(async () => {
  plane = await startTestControlPlane(databaseUrl)
  await plane.client.createCiTrust({
    ...{ name: 'policies', issuer, audience: 'signalbox', role: 'admin' },
    claims: { repository: ['acme/policies'], ref: ['refs/heads/main', 'refs/tags/v*'] },
  })
})
afterAll(async () => {
  await plane.stop()
  issuerServer.close()
})

interface Change {
  readonly claims?: object
  readonly audience?: string
  readonly issuer?: string
  readonly expires?: string
  readonly key?: CryptoKey
}
let count = 0
const identity = (change: Change = {}) =>
  new SignJWT({ ...job, jti: String(count++), ...change.claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuer(change.issuer ?? issuer)
    .setAudience(change.audience ?? 'signalbox')
    .setSubject('repo:acme/policies:ref:refs/heads/main')
    .setIssuedAt()
    .setExpirationTime(change.expires ?? '5m')
    .sign(change.key ?? keys.privateKey)
const exchange = async (change?: Change) =>
  createClient({ url: plane.url, token: '' }).exchangeCiToken({ identity: await identity(change) })
const files = (alias: string) => [
  { path: 'signalbox.yaml', text: `name: acme\nmodels:\n  ${alias}: [openai/gpt-5.2]\n` },
]

describe('a CI job', () => {
  it('has a short-lived token for its identity, and its pushes say what the identity said', async () => {
    const { token, expiresMs, role } = await exchange()
    expect(role).toBe('admin')
    expect(expiresMs - Date.now()).toBeLessThanOrEqual(900_000)
    const client = createClient({ url: plane.url, token })
    const pushed = await client.pushVersion({
      files: files('a'),
      commit: 'b'.repeat(40),
      ciRun: 'https://elsewhere',
    })
    expect(pushed.push).toMatchObject({ by: 'ci policies', commit: sha })
    expect(pushed.push.ciRun).toBe(`${issuer}/acme/policies/actions/runs/4711`)
    const [audit] = (await plane.client.listAudit({ action: 'exchangeCiToken' })).items
    expect(audit?.detail).toMatchObject({ repository: 'acme/policies', commit: sha })
  })

  it('of a tag that fits a pattern has one too', async () => {
    expect(await exchange({ claims: { ref: 'refs/tags/v1.2' } })).toMatchObject({ name: 'policies' })
  })

  it('has one token for one identity', async () => {
    const once = { identity: await identity() }
    const client = createClient({ url: plane.url, token: '' })
    await client.exchangeCiToken(once)
    await expect(client.exchangeCiToken(once)).rejects.toThrow(/exchanged already/)
  })

  it.each<[string, Change]>([
    ['of another repository', { claims: { repository: 'acme/policies-evil' } }],
    ['of another branch', { claims: { ref: 'refs/heads/feature' } }],
    ['without the claim', { claims: { ref: undefined } }],
    ['for another audience', { audience: 'somebody-else' }],
    ['that has expired', { expires: '-5m' }],
    ['signed by a stranger', { key: stranger.privateKey }],
    ['of an issuer nobody trusts', { issuer: 'https://issuer.example' }],
  ])('with an identity %s has none', async (_, change) => {
    await expect(exchange(change)).rejects.toMatchObject({ code: 'key_invalid', status: 401 })
  })

  it('has none for a text that is no identity, nor for one without a signature', async () => {
    const client = createClient({ url: plane.url, token: '' })
    await expect(client.exchangeCiToken({ identity: 'x'.repeat(40) })).rejects.toMatchObject({
      code: 'key_invalid',
    })
    const [, payload] = (await identity()).split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    await expect(client.exchangeCiToken({ identity: none })).rejects.toMatchObject({ code: 'key_invalid' })
  })
})

it.each([
  ['an issuer in clear text', { issuer: 'http://issuer.example' }],
  ['no condition', { claims: {} }],
  ['a condition that fits everything', { claims: { repository: ['*'] } }],
])('a trust with %s is refused', async (_, change) => {
  const trust = { name: 'other', issuer: 'https://issuer.example', audience: 'x', claims: { ref: ['x'] } }
  await expect(plane.client.createCiTrust({ ...trust, role: 'viewer', ...change })).rejects.toMatchObject({
    code: 'invalid_request',
  })
})

it('shows what runs and stands in no commit as drift, until it is pushed from one', async () => {
  const { client } = plane
  const from = await client.pushVersion({ files: files('b'), commit: sha, environment: 'staging' })
  const driftOf = async () => (await client.getStatus({ environment: 'staging' })).environments[0]?.drift
  expect(await driftOf()).toEqual([])
  const edit = { files: files('c'), source: 'console', parent: `v${from.version}`, environment: 'staging' }
  const edited = await client.pushVersion(edit)
  expect(edited.parent).toBe(from.digest)
  expect(await driftOf()).toMatchObject([
    { workspace: 'acme', role: 'stable', version: edited.version, parent: from.version, source: 'console' },
  ])
  await client.pushVersion({ files: files('c'), commit: sha })
  expect(await driftOf()).toEqual([])
  const { environment: _, ...more } = { ...edit, files: files('d') }
  const looker = await client.pushVersion(more)
  await client.promoteVersion({ environment: 'staging', version: `v${looker.version}`, shadow: true })
  expect(await driftOf()).toMatchObject([{ role: 'shadow', version: looker.version }])
})
