import { createClient } from '@signalbox/sdk'
import {
  apiOperations,
  type OperationDefinition,
  Refusal,
  type Role,
  roles,
  rolesOf,
} from '@signalbox/sdk/contract'
import { createLogger, createSecret } from '@signalbox/sdk/node'
import { afterAll, describe, expect, it, test } from 'vitest'
import { authenticate } from '../../control-plane/authenticate.ts'
import { createAuthorize, mayCall } from '../../control-plane/authorize.ts'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { createCookies } from '../../control-plane/identity/cookies.ts'
import { createTestDatabase } from '../support/database.ts'
import { callRecord, packSegment } from './segment-lines.ts'
import { errorOf, serveApp } from './served-app.ts'
import { startTestControlPlane } from './test-control-plane.ts'
import { enrolGateway } from './test-gateway.ts'

const databaseUrl = await createTestDatabase()
const plane = await startTestControlPlane(databaseUrl)
const { db, close } = connectDatabase(databaseUrl, createLogger('test', 'silent'))
afterAll(async () => {
  await plane.stop()
  await close()
})
const { client } = plane
const definitions: readonly OperationDefinition[] = Object.values(apiOperations)

/** The same doors as the program's, with one handler for all: it says that the request came through. */
const reached = (): never => {
  throw new Refusal('unsupported_feature', { message: 'reached' })
}
const tools = { db, nowMs: Date.now, cookies: createCookies({ secure: false }) }
const doors = await serveApp(Object.fromEntries(definitions.map(({ id }) => [id, reached])), {
  authenticate: (request) => authenticate(tools, request),
  authorize: createAuthorize({ db }),
})

interface Place {
  readonly team: string
  readonly key: string
  readonly token: string
  readonly record: string
  readonly budget: string
  readonly limit: string
}
const gateway = await enrolGateway(plane, 'development')

/** A team with one of everything that a request can name. */
async function makePlace(name: string): Promise<Place> {
  const team = await client.createTeam({ name })
  const key = await client.createKey({ team: team.id, name: 'ci' })
  const token = await client.createToken({ name: `of ${name}`, role: 'viewer', node: name })
  const record = callRecord({ nodeId: team.id, keyId: key.id })
  const sent = await gateway.segment(packSegment([record]), { records: 1, incarnation: crypto.randomUUID() })
  expect(sent.status).toBe(200)
  const budget = await client.setBudget({ key: key.id, window: 'month', limit: '1000' })
  const limit = await client.setLimit({ team: team.id, unit: 'requests', window: 'minute', limit: 60 })
  const ids = { team: team.id, key: key.id, token: token.id, record: record.row.id }
  return { ...ids, budget: budget.id, limit: limit.id }
}
const own = await makePlace('own')
const other = await makePlace('other')
const below = await client.createTeam({ name: 'below', parent: 'own' })

const tokenOf = async (role: Role, node: string) =>
  (await client.createToken({ name: `${role} of ${node}`, role, ...(node === '' ? {} : { node }) })).token
const rootTokens = new Map<Role, string>()
const ownTokens = new Map<Role, string>()
for (const role of roles) {
  rootTokens.set(role, await tokenOf(role, ''))
  ownTokens.set(role, await tokenOf(role, 'own'))
}

/** What a request of the operations that name an object says beside it. */
const bodies: Readonly<Record<string, object>> = {
  createTeam: { name: 'new' },
  updateTeam: { revision: 1 },
  createKey: { name: 'new' },
  updateKey: { revision: 1 },
  rotateKey: {},
  createToken: { name: 'new', role: 'viewer' },
  setBudget: { window: 'day', limit: '1' },
  previewBudget: { window: 'day', limit: '1' },
  overrideBudget: { limit: '1', untilMs: 1, reason: 'because' },
  settleOverrun: { reason: 'because' },
  setLimit: { unit: 'requests', window: 'minute', limit: 1 },
}

/** The request of an operation that names the objects of a place. */
function requestFor(
  operation: OperationDefinition,
  place: Place,
): { path: string; body: string | undefined } {
  const { scope, method } = operation
  const named: Record<string, string> = {}
  if (typeof scope === 'object') {
    for (const [kind, member] of Object.entries(scope)) {
      named[member] = place[kind === 'node' ? 'team' : (kind as keyof Place)]
    }
  }
  const path = operation.path.replaceAll(/:(\w+)/g, (_, name: string) => named[name] ?? 'x')
  const rest = Object.entries(named).filter(([name]) => !operation.path.includes(`:${name}`))
  if (method === 'GET' || method === 'DELETE') return { path, body: undefined }
  return { path, body: JSON.stringify({ ...bodies[operation.id], ...Object.fromEntries(rest) }) }
}

type Outcome = 'reached' | 'forbidden' | 'missing' | 'hidden' | 'input'
async function ask(operation: OperationDefinition, place: Place, token?: string): Promise<Outcome> {
  const { path, body } = requestFor(operation, place)
  const response = await fetch(`${doors.url}${path}`, {
    method: operation.method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  })
  const { code, status } = await errorOf(response)
  if (code === 'unsupported_feature') return 'reached'
  if (code === 'forbidden') return 'forbidden'
  if (code === 'not_found') return 'hidden'
  return status === 401 ? 'missing' : 'input'
}
/** Past the doors: the request was served, or would have been with another input. */
const isIn = (outcome: Outcome): boolean => outcome === 'reached' || outcome === 'input'

describe('the table of operations', () => {
  it('has a rule for each: who, and where what it touches lies', () => {
    for (const operation of definitions) {
      expect(operation.role, operation.id).toBeDefined()
      const guarded = typeof operation.role === 'object' || /^(admin|member)$/.test(String(operation.role))
      if (guarded) expect(rolesOf(operation), operation.id).toContain('owner')
      else expect(operation.role, operation.id).toMatch(/^(public|gateway)$/)
    }
  })

  it('names members that the requests of its operations have', () => {
    for (const operation of definitions) {
      if (typeof operation.scope !== 'object') continue
      const schemas = [operation.params, operation.query, operation.body]
      for (const member of Object.values(operation.scope)) {
        expect(JSON.stringify(schemas), operation.id).toContain(`"${member}"`)
      }
    }
  })

  it('opens these to everybody, and no other', () => {
    const open = definitions.filter(({ role }) => role === 'public').map(({ id }) => id)
    expect(open).toEqual([
      ...['getSignIn', 'signIn', 'startOidcSignIn', 'finishOidcSignIn'],
      'exchangeCiToken',
    ])
  })

  it('lets these read records, notes each reader, and shows records by no other operation', () => {
    const reading = definitions.filter((each) => each.readsRecords === true)
    expect(reading.map(({ id }) => id)).toEqual([
      'exportRecords',
      'listRecords',
      'followRecords',
      'getRecord',
      'explainRecord',
    ])
    for (const each of reading) expect(rolesOf(each)).toEqual(['owner', 'admin', 'security', 'developer'])
  })

  it('gives an operation without a rule to nobody', () => {
    const caller = {
      kind: 'token',
      id: 'x',
      name: 'x',
      grants: [{ role: 'owner', nodeId: 'x', path: '' }],
    } as const
    expect(mayCall({ role: [] }, caller)).toBe(false)
  })
})

describe.each(definitions.map((operation) => [operation.id, operation] as const))('%s', (_id, operation) => {
  const { role, scope = 'organisation' } = operation
  const allowed = rolesOf(operation)

  it('asks strangers who they are, and gateways for their own operations alone', async () => {
    const stranger = await ask(operation, own)
    if (role === 'public') expect(isIn(stranger)).toBe(true)
    else expect(stranger).toBe('missing')
    const asGateway = await ask(operation, own, gateway.token)
    if (role === 'public' || role === 'gateway') expect(isIn(asGateway)).toBe(true)
    else expect(asGateway).toBe('forbidden')
  })

  it('lets each role in as its rule says, on its own node and on no other', async () => {
    if (role === 'public') return
    await Promise.all(
      roles.map(async (each) => {
        const [onRoot, onOwn] = [rootTokens.get(each), ownTokens.get(each)]
        const may = allowed.includes(each)
        for (const place of [own, other]) {
          const outcome = await ask(operation, place, onRoot)
          if (may) expect(isIn(outcome), `${each} on the organisation`).toBe(true)
          else expect(outcome, `${each} on the organisation`).toBe('forbidden')
        }
        const ownOutcome = await ask(operation, own, onOwn)
        if (may && scope !== 'organisation') expect(isIn(ownOutcome), `${each} on the own node`).toBe(true)
        else expect(ownOutcome, `${each} on the own node`).toBe('forbidden')
        if (typeof scope !== 'object') return
        expect(ownOutcome, 'the request is not whole').toBe(may ? 'reached' : 'forbidden')
        // What lies elsewhere does not exist for them.
        const otherOutcome = await ask(operation, other, onOwn)
        expect(otherOutcome, `${each} on another node`).toBe(may ? 'hidden' : 'forbidden')
      }),
    )
  })
})

test('a role holds on all below its node, and not above', async () => {
  const developer = ownTokens.get('developer')
  const create = apiOperations.createKey
  expect(await ask(create, { ...own, team: below.id }, developer)).toBe('reached')
  expect(await ask(create, { ...own, team: 'default' }, developer)).toBe('hidden')
})

describe('somebody with a role in finance on a node', () => {
  const below2 = client.createKey({ team: below.id, name: 'below' })
  const finance = createClient({ url: plane.url, token: ownTokens.get('finance') ?? '' })
  const month = { window: 'month', limit: '5000' } as const
  const perMinute = { unit: 'requests', window: 'minute', limit: 5 } as const

  it('manages budgets, overrides and limits of the node, of what is below it, and of its keys', async () => {
    const key = await below2
    for (const owner of [{ team: 'own' }, { team: below.id }, { key: own.key }, { key: key.id }]) {
      const budget = await finance.setBudget({ ...owner, ...month })
      await finance.previewBudget({ ...owner, ...month, limit: '1' })
      const untilMs = Date.now() + 3_600_000
      await finance.overrideBudget({ id: budget.id, limit: '9', untilMs, reason: 'a launch' })
      expect((await finance.endBudgetOverride({ id: budget.id })).override).toBeNull()
      expect((await finance.explainBudget({ id: budget.id })).calls).toEqual([])
      const limit = await finance.setLimit({ ...owner, ...perMinute })
      await finance.deleteLimit({ id: limit.id })
    }
    const { items } = await finance.listBudgets()
    expect(items.map(({ path }) => path).sort()).toEqual(['own', 'own/below', 'own/below/below', 'own/ci'])
    await finance.deleteBudget({ id: items.find(({ path }) => path === 'own')?.id ?? '' })
  })

  it('touches nothing above it or beside it, and does not learn of it', async () => {
    const forbidden = { status: 403, code: 'forbidden' }
    const hidden = { status: 404, code: 'not_found' }
    const root = await client.setBudget({ team: 'default', ...month })
    await expect(finance.setBudget({ team: other.team, ...month })).rejects.toMatchObject(hidden)
    await expect(finance.setBudget({ team: 'default', ...month })).rejects.toMatchObject(hidden)
    await expect(finance.setBudget({ key: other.key, ...month })).rejects.toMatchObject(hidden)
    await expect(finance.setLimit({ key: other.key, ...perMinute })).rejects.toMatchObject(hidden)
    for (const id of [root.id, other.budget]) {
      await expect(finance.getBudget({ id })).rejects.toMatchObject(hidden)
      await expect(finance.deleteBudget({ id })).rejects.toMatchObject(hidden)
    }
    await expect(finance.deleteLimit({ id: other.limit })).rejects.toMatchObject(hidden)
    // Both owners at once is no way round the check of one.
    const both = { team: other.team, key: own.key, ...month }
    await expect(finance.setBudget(both)).rejects.toMatchObject({ status: 400 })
    // What is stranded is so in the budgets above it too.
    await expect(finance.releaseStranded({ id: own.budget, reason: 'x' })).rejects.toMatchObject(forbidden)
    const seen = [...(await finance.listBudgets()).items, ...(await finance.listLimits()).items]
    expect(seen.every(({ path }) => path.startsWith('own'))).toBe(true)
    expect(seen.length).toBeGreaterThan(2)
    await expect(finance.listBudgets({ team: 'other' })).rejects.toMatchObject(hidden)
    expect((await finance.listBudgets({ key: other.key })).items).toEqual([])
  })
})

test('somebody who may look, but not do, is told so', async () => {
  const both = await tokenOf('viewer', 'own')
  expect(await ask(apiOperations.getKey, own, both)).toBe('reached')
  expect(await ask(apiOperations.revokeKey, own, both)).toBe('forbidden')
})

test.each([
  ['no scheme', 'sbt_x', 'key_missing'],
  ['another scheme', 'Basic dXNlcjpwYXNz', 'key_missing'],
  ['an empty token', 'Bearer ', 'key_missing'],
  ['two tokens', 'Bearer a b', 'key_missing'],
  ['a token nobody has', `Bearer ${createSecret('token')}`, 'key_invalid'],
  ['a gateway token nobody has', `Bearer ${createSecret('gateway')}`, 'key_invalid'],
  ['a mistyped token', `Bearer ${createSecret('token')}x`, 'key_invalid'],
  ['a key for calls', `Bearer ${createSecret('key')}`, 'key_invalid'],
  ['a very long token', `Bearer ${'a'.repeat(5000)}`, 'key_invalid'],
])('%s is refused', async (_, authorization, code) => {
  const response = await fetch(`${plane.url}/v1/tokens`, { headers: { authorization } })
  expect(await errorOf(response)).toMatchObject({ status: 401, code })
})

test('the challenge says how to come back', async () => {
  const response = await fetch(`${plane.url}/v1/me`)
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
})

test('a revoked token fails on the next request, and says so', async () => {
  const { id, token } = await client.createToken({ name: 'short-lived', role: 'admin' })
  expect(await ask(apiOperations.getMe, own, token)).toBe('reached')
  await client.revokeToken({ id })
  const response = await fetch(`${plane.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } })
  expect(await errorOf(response)).toMatchObject({ status: 401, code: 'key_revoked' })
})

test('who reads records stands in the audit log, once for the same thing', async () => {
  const { token } = await client.createToken({ name: 'curious', role: 'developer', node: 'own' })
  const reader = createClient({ url: plane.url, token })
  expect((await reader.listRecords()).items.map(({ id }) => id)).toEqual([own.record])
  await reader.listRecords({ limit: 5 })
  await reader.getRecord({ id: own.record })
  await expect(reader.getRecord({ id: other.record })).rejects.toMatchObject({ status: 404 })
  const { items } = await client.listAudit({ limit: 100 })
  const read = items.filter(({ actor }) => actor === 'curious')
  expect(read.map(({ action, object }) => `${action} ${object}`)).toEqual([
    `getRecord record ${own.record}`,
    'listRecords records',
  ])
  expect((await reader.getOverview()).totals.calls).toBe(1)
  expect((await client.getOverview()).totals.calls).toBe(2)
})

test('when a key was used is known from its records', async () => {
  const found = await client.getKey({ id: own.key })
  expect(Date.now() - (found.lastUsedMs ?? 0)).toBeLessThan(600_000)
})
