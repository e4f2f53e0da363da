import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Envelope, RootDocument } from '@signalbox/sdk/contract'
import {
  createLogger,
  createSigningKey,
  decodeTrustRoot,
  openEnvelope,
  signText,
  signVersion,
} from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChangeFeed } from '../../../control-plane/db/change-feed.ts'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { layMirror } from '../../../control-plane/documents/lay-mirror.ts'
import { Mirror } from '../../../gateway/documents/mirror.ts'
import { verifyRelease, verifyRoot } from '../../../gateway/documents/verify-document.ts'
import { createTestDatabase } from '../../support/database.ts'
import { startTestControlPlane, type TestControlPlane } from '../test-control-plane.ts'
import { enrolGateway, type TestGateway } from '../test-gateway.ts'

const databaseUrl = await createTestDatabase()
let plane: TestControlPlane
let gateway: TestGateway
beforeAll(async () => {
  plane = await startTestControlPlane(databaseUrl)
  gateway = await enrolGateway(plane, 'production')
})
afterAll(() => plane.stop())

const files = (name: string) => [
  { path: 'signalbox.yaml', text: `name: acme\nmodels:\n  ${name}: [openai/gpt-5.2]\n` },
]
const rootOf = (envelope: Envelope) => JSON.parse(envelope.payload) as RootDocument
const documentOf = async (kind: string, query = '') =>
  (await (await gateway.document(`${kind}${query}`)).json()) as Envelope

describe('a rotation', () => {
  it('is signed by old and new keys, and everything is signed anew by the new ones', async () => {
    await plane.client.pushVersion({ files: files('first'), environment: 'production' })
    const { root: pinned } = decodeTrustRoot(gateway.trustRoot)
    const before = await documentOf('release')
    const changed = await plane.client.changeTrust({ rotate: ['root', 'release'] })
    expect(changed).toMatchObject({ published: true, missing: { before: 0, after: 0 } })
    const { document: root } = verifyRoot(JSON.stringify(await documentOf('root')), pinned)
    expect(root.sequence).toBe(2)
    expect(root.roles.root.keyIds).not.toEqual(pinned.roles.root.keyIds)
    const after = await documentOf('release')
    expect(() => openEnvelope(before, 'release', root)).toThrow(/needs 1 valid signature/)
    expect(openEnvelope(after, 'release', root)).toMatchObject({ environment: 'production' })
    expect(openEnvelope(await documentOf('state'), 'release', root)).toMatchObject({ type: 'state/1' })
  })

  it('can be followed one by one by who has missed some', async () => {
    await plane.client.changeTrust({ rotate: ['root'] })
    const { root: pinned } = decodeTrustRoot(gateway.trustRoot)
    const newest = JSON.stringify(await documentOf('root'))
    expect(() => verifyRoot(newest, pinned)).toThrow(/needs 1 valid signature/)
    const { document: second } = verifyRoot(JSON.stringify(await documentOf('root', '?sequence=2')), pinned)
    expect(verifyRoot(newest, second).document.sequence).toBe(3)
  })

  it('waits for root keys that are kept elsewhere, and for the threshold', async () => {
    const { client } = plane
    const [own, stranger] = [createSigningKey(), createSigningKey()]
    const add = [{ role: 'root' as const, publicKey: own.publicKey }]
    await client
      .changeTrust({ add, thresholds: { root: 2 } })
      .then(({ published, missing }) =>
        expect({ published, missing }).toEqual({ published: false, missing: { before: 0, after: 1 } }),
      )
    const { envelope } = await client.changeTrust({ add, thresholds: { root: 2 } })
    const signedBy = (key: typeof own): Envelope => ({
      payload: envelope.payload,
      signatures: [
        ...envelope.signatures,
        { role: 'root', keyId: key.keyId, sig: signText(envelope.payload, key) },
      ],
    })
    expect(await client.publishTrust({ envelope: signedBy(stranger) })).toMatchObject({ published: false })
    expect(await client.publishTrust({ envelope: signedBy(own) })).toMatchObject({ published: true })
    expect(await client.changeTrust({ rotate: ['release'] })).toMatchObject({
      published: false,
      missing: { before: 1, after: 1 },
    })
    await expect(client.publishTrust({ envelope: signedBy(own) })).rejects.toMatchObject({ code: 'conflict' })
    const { envelope: back } = await client.changeTrust({ remove: [own.keyId], thresholds: { root: 1 } })
    const both = { role: 'root' as const, keyId: own.keyId, sig: signText(back.payload, own) }
    const last = await client.publishTrust({ envelope: { ...back, signatures: [...back.signatures, both] } })
    expect(rootOf(last.envelope).roles.root.threshold).toBe(1)
  })

  it.each([
    ['leaves a role without keys', { thresholds: { release: 2 } }, 'invalid_request'],
    ['asks for authors where there is none', { authorsIn: ['staging'] }, 'invalid_request'],
    ['removes what is not there', { remove: ['0123456789abcdef'] }, 'invalid_request'],
    ['was made on another root', { sequence: 1, rotate: ['release' as const] }, 'conflict'],
  ])('that %s is refused', async (_, change, code) => {
    await expect(plane.client.changeTrust(change)).rejects.toMatchObject({ code })
  })
})

describe('authors', () => {
  const author = createSigningKey()
  it('must have signed what an environment runs that asks for them, and gateways hold to that', async () => {
    const { client } = plane
    const add = [{ role: 'author' as const, publicKey: author.publicKey }]
    const wanted = { add, authorsIn: ['production'] }
    await expect(client.changeTrust(wanted)).rejects.toThrow(/0 of 1 signatures/)
    const running = await client.pushVersion({ files: files('first') })
    await client.changeTrust({ add })
    const signatures = [signVersion(running.digest, author)]
    await client.pushVersion({ files: files('first'), signatures })
    expect(await client.changeTrust({ authorsIn: ['production'] })).toMatchObject({ published: true })

    const other = await client.pushVersion({ files: files('second') })
    await expect(client.promoteVersion({ version: other.digest, environment: 'production' })).rejects.toThrow(
      /v2 has 0 of 1 signatures of authors that production asks for/,
    )
    await client.promoteVersion({ version: other.digest, environment: 'staging' })
    const forged = [{ keyId: author.keyId, sig: signVersion(running.digest, author).sig }]
    await expect(client.pushVersion({ files: files('second'), signatures: forged })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    const signed = [signVersion(other.digest, author)]
    const pushed = await client.pushVersion({
      files: files('second'),
      environment: 'production',
      signatures: signed,
    })
    expect(pushed.deployment?.stable.digest).toBe(other.digest)

    const release = JSON.stringify(await documentOf('release'))
    const { root } = await client.getTrust()
    const expectation = { organisationId: plane.organisationId, environment: 'production', root }
    expect(verifyRelease(release, expectation).document.versions[other.digest]?.authors).toHaveLength(1)
    const stricter = { ...root, roles: { ...root.roles, author: { ...root.roles.author, threshold: 2 } } }
    expect(() => verifyRelease(release, { ...expectation, root: stricter })).toThrow(
      /version v2 needs 2 valid signature\(s\) of role "author", has 1/,
    )
  })
})

it('lays down a mirror from which every document verifies', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-mirror-'))
  const log = createLogger('test', 'silent')
  const { db, close } = connectDatabase(databaseUrl, log)
  const changes = await createChangeFeed({ url: databaseUrl, origin: newId(), log })
  try {
    const place = { organisationId: plane.organisationId, environment: 'production' }
    await layMirror({ db, changes, log, folder }, place)
    const mirror = new Mirror(join(folder, 'production'))
    const { root: pinned } = decodeTrustRoot(gateway.trustRoot)
    expect(await mirror.loadEnvironment(pinned)).toBe('production')
    expect(await mirror.loadEnvironment({ ...pinned, organisationId: newId() })).toBeUndefined()
    const release = JSON.parse((await documentOf('release')).payload) as { catalogue: string }
    expect((await mirror.blob(release.catalogue)).length).toBeGreaterThan(1000)
    await expect(mirror.blob(`sha256:${'0'.repeat(64)}`)).rejects.toThrow(/does not have the blob/)
    await mirror.close()
  } finally {
    await changes.close()
    await close()
    rmSync(folder, { recursive: true, force: true })
  }
})
