import { setTimeout as wait } from 'node:timers/promises'
import type { CredentialDocument, Envelope, StateDocument } from '@signalbox/sdk/contract'
import { decodeTrustRoot, open } from '@signalbox/sdk/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { startTestControlPlane, type TestControlPlane } from '../test-control-plane.ts'
import { enrolGateway, type TestGateway } from '../test-gateway.ts'
import { insertKeys, openDocument, startTestPublishing } from './test-publishing.ts'

const databaseUrl = await createTestDatabase()
const environment = 'development'
let controlPlane: TestControlPlane
let other: TestControlPlane
let gateway: TestGateway
beforeAll(async () => {
  controlPlane = await startTestControlPlane(databaseUrl)
  other = await startTestControlPlane(databaseUrl, { rootToken: controlPlane.rootToken })
  gateway = await enrolGateway(controlPlane, environment)
  await gateway.hello()
})
afterAll(async () => {
  await controlPlane.stop()
  await other.stop()
})

let names = 0
/** Each new key makes a new state. */
const makeKey = (where = environment) =>
  controlPlane.client.createKey({ team: 'default', name: `test ${++names}`, environment: where })
const readState = async (from = gateway) => {
  const response = await from.document('state')
  const { envelope } = decodeTrustRoot(from.trustRoot)
  return openDocument((await response.json()) as Envelope, 'state', envelope) as StateDocument
}

/** Says that a gateway runs whatever comes, so that what follows need not wait for it. */
const settle = async (via: TestGateway) => {
  for (const kind of ['state', 'credentials']) await via.ack(kind, 1_000_000)
}

describe('documents of a gateway', () => {
  it('verify with the trust root that enrolling printed', async () => {
    const { envelope, root } = decodeTrustRoot(gateway.trustRoot)
    expect(await (await gateway.document('root')).json()).toEqual(envelope)
    expect(root.organisationId).toBe(controlPlane.organisationId)
    expect(await readState()).toMatchObject({ type: 'state/1', environment })
  })

  it('carry an ETag, and are not sent again to who has them', async () => {
    const first = await gateway.document('state')
    const state = await readState()
    expect(first.headers.get('etag')).toBe(`"state-${state.sequence}"`)
    const again = await gateway.document('state', { 'if-none-match': `"state-${state.sequence}"` })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
    const older = await gateway.document('state', { 'if-none-match': `"state-${state.sequence - 1}"` })
    expect(older.status).toBe(200)
  })

  it('are refused as not found while nothing is deployed', async () => {
    const response = await gateway.document('release')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
  })

  it('are for gateways alone', async () => {
    const path = `${controlPlane.url}/v1/gateway/documents/state`
    const asRoot = await fetch(path, { headers: { authorization: `Bearer ${controlPlane.rootToken}` } })
    expect(asRoot.status).toBe(403)
    expect((await fetch(path)).status).toBe(401)
  })
})

describe('a long poll', () => {
  const poll = (via: TestGateway, sequence: number, seconds: number) =>
    via.document('state', { 'if-none-match': `"state-${sequence}"`, prefer: `wait=${seconds}` })

  it('answers 304 after its time, with nothing new', async () => {
    const { sequence } = await readState()
    const startMs = performance.now()
    expect((await poll(gateway, sequence, 1)).status).toBe(304)
    expect(performance.now() - startMs).toBeGreaterThan(990)
  })

  it('wakes within 50 ms of a publication, here and at another control plane', async () => {
    const elsewhere = await enrolGateway(controlPlane, environment, other)
    await elsewhere.hello()
    const publishing = await startTestPublishing(databaseUrl)
    const delaysMs: number[] = []
    for (let round = 0; round < 5; round++) {
      const { sequence } = await readState()
      const answeredMs = [gateway, elsewhere].map(async (via) => {
        const response = await poll(via, sequence, 20)
        expect(response.status).toBe(200)
        expect(response.headers.get('etag')).toBe(`"state-${sequence + 1}"`)
        return performance.now()
      })
      await wait(30)
      await insertKeys(publishing, round, round + 1)
      await publishing.publisher.publishState(publishing.organisationId, environment)
      const publishedMs = performance.now()
      for (const each of await Promise.all(answeredMs)) delaysMs.push(each - publishedMs)
    }
    await publishing.stop()
    await settle(elsewhere)
    expect(delaysMs.toSorted((a, b) => a - b)[5]).toBeLessThan(50)
  })

  it('lets a new key be made as soon as those who poll run it', async () => {
    const { sequence } = await readState()
    const polled = poll(gateway, sequence, 20).then(() => gateway.ack('state', sequence + 1))
    await wait(30)
    const startMs = performance.now()
    expect((await makeKey()).pending).toBeUndefined()
    expect(performance.now() - startMs).toBeLessThan(1000)
    await polled
  })
})

describe('the event stream', () => {
  it('says the current sequences at once, then what changes', async () => {
    const { sequence } = await readState()
    const stream = await gateway.events()
    await eventually(() =>
      expect(stream.received.map((each) => each.kind)).toEqual(['root', 'state', 'credentials']),
    )
    expect(stream.received).toContainEqual({ kind: 'state', sequence })
    await Promise.all([makeKey(), eventually(() => gateway.ack('state', sequence + 1))])
    await eventually(() => expect(stream.received.at(-1)).toMatchObject({ kind: 'state' }))
    const last = stream.received.at(-1)?.sequence ?? 0
    expect(last).toBeGreaterThan(sequence)
    await stream.stop()
  })

  it('ends when the gateway is revoked or the control plane drains', async () => {
    const passing = await startTestControlPlane(databaseUrl, { rootToken: controlPlane.rootToken })
    const there = await enrolGateway(controlPlane, environment, passing)
    const response = await there.request('/events')
    const text = response.text()
    await passing.stop()
    await expect(Promise.race([text.catch(() => 'cut'), wait(2000, 'still open')])).resolves.not.toBe(
      'still open',
    )
  })
})

describe('blobs', () => {
  it('that a document names are immutable, all others are not there', async () => {
    const state = await readState()
    const tree = await gateway.blob(state.tree)
    expect(tree.status).toBe(200)
    expect(tree.headers.get('cache-control')).toContain('immutable')
    expect(await tree.json()).toMatchObject({ schema: 'tree/1' })
    expect((await gateway.blob(`sha256:${'0'.repeat(64)}`)).status).toBe(404)
    expect((await gateway.blob('nonsense')).status).toBe(400)
  })
})

describe('acknowledgements', () => {
  it('are not waited for while no gateway is connected', async () => {
    const staging = await makeKey('staging')
    expect(staging.pending).toBeUndefined()
  })

  it('let a write return as soon as the connected gateways run it', async () => {
    const here = await enrolGateway(controlPlane, 'staging')
    const there = await enrolGateway(controlPlane, 'staging', other)
    await Promise.all([here.hello(), there.hello()])
    const streams = await Promise.all([here.events(), there.events()])
    const settled: number[] = []
    const acknowledge = async (via: TestGateway, received: readonly { kind: string; sequence: number }[]) => {
      const before = received.length
      await eventually(() => expect(received.slice(before).some(({ kind }) => kind === 'state')).toBe(true))
      await via.ack('state', received.at(-1)?.sequence ?? 0)
      settled.push(performance.now())
    }
    await eventually(() => expect(streams.every(({ received }) => received.length === 3)).toBe(true))
    const acks = [acknowledge(here, streams[0].received), acknowledge(there, streams[1].received)]
    const key = await makeKey('staging')
    const returnedMs = performance.now()
    await Promise.all(acks)
    expect(key.pending).toBeUndefined()
    expect(returnedMs - Math.max(...settled)).toBeLessThan(500)
    expect(returnedMs).toBeGreaterThan(Math.min(...settled) - 1)
    const views = (await controlPlane.client.listGateways()).items.filter(
      (each) => each.environment === 'staging',
    )
    expect(views.map((each) => each.connected)).toEqual([true, true])
    await Promise.all(streams.map((stream) => stream.stop()))
  })

  it('name after two seconds the gateway that said nothing, and at once the one that rejected', async () => {
    const silent = await enrolGateway(controlPlane, 'production')
    await silent.hello()
    const stream = await silent.events()
    await eventually(() => expect(stream.received.length).toBe(3))
    const startMs = performance.now()
    const key = await makeKey('production')
    expect(key.pending).toEqual([`gateway ${silent.id}`])
    expect(performance.now() - startMs).toBeGreaterThan(1950)
    const sequence = stream.received.at(-1)?.sequence ?? 0
    const rejected = eventually(() => {
      const next = stream.received.at(-1)?.sequence ?? 0
      expect(next).toBeGreaterThan(sequence)
      return silent.ack('state', next, 'the tree is not right')
    })
    const secondMs = performance.now()
    const next = await makeKey('production')
    await rejected
    expect(next.pending).toEqual([`gateway ${silent.id}`])
    expect(performance.now() - secondMs).toBeLessThan(1500)
    const [view] = (await controlPlane.client.listGateways()).items.filter(({ id }) => id === silent.id)
    expect(view?.rejected).toMatchObject({ document: 'state', error: 'the tree is not right' })
    await stream.stop()
  })

  it('of an older run of the gateway count for nothing', async () => {
    const twice = await enrolGateway(controlPlane, environment)
    await twice.hello()
    await twice.hello({ incarnation: '01990000-0000-7000-8000-0000000000aa' })
    expect((await twice.ack('state', 9)).status).toBe(200)
    const [view] = (await controlPlane.client.listGateways()).items.filter(({ id }) => id === twice.id)
    expect(view?.state).toBeNull()
  })
})

describe('credentials', () => {
  const readSecrets = async (via: TestGateway) => {
    const document = (await (await via.document('credentials')).json()) as CredentialDocument
    return { document, secrets: JSON.parse(await open(via.keys.privateKey, document)) as unknown }
  }

  it('are sealed to each gateway, empty where there are none', async () => {
    const { document, secrets } = await readSecrets(gateway)
    expect(secrets).toEqual({})
    expect(document).toMatchObject({ type: 'credentials/1', environment, recipient: gateway.keys.publicKey })
  })

  it('follow a change, for the gateways of that environment only', async () => {
    await settle(gateway)
    const before = (await readSecrets(gateway)).document.sequence
    await controlPlane.client.setConnection({ name: 'openai', environment, secret: 'sk-very-secret' })
    const after = await readSecrets(gateway)
    expect(after.secrets).toEqual({ openai: 'sk-very-secret' })
    expect(after.document.sequence).toBeGreaterThan(before)
    expect(JSON.stringify(after.document)).not.toContain('sk-very-secret')
    const staging = await enrolGateway(controlPlane, 'staging')
    await staging.hello()
    expect((await readSecrets(staging)).secrets).toEqual({})
  })

  it('are sealed anew when the gateway comes with another key, and only then', async () => {
    const before = (await readSecrets(gateway)).document
    await gateway.hello()
    expect((await readSecrets(gateway)).document).toEqual(before)
    const moved = await enrolGateway(controlPlane, environment)
    await gateway.hello({ publicKey: moved.keys.publicKey })
    const document = (await (await gateway.document('credentials')).json()) as CredentialDocument
    expect(document.recipient).toBe(moved.keys.publicKey)
    expect(document.sequence).toBeGreaterThan(before.sequence)
    expect(JSON.parse(await open(moved.keys.privateKey, document))).toEqual({ openai: 'sk-very-secret' })
    await expect(open(gateway.keys.privateKey, document)).rejects.toThrow()
    await gateway.hello()
  })

  it('need a real key', async () => {
    const response = await gateway.hello({ publicKey: 'AAAA' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param: 'publicKey' } })
  })
})
