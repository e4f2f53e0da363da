import { createClient } from '@signalbox/sdk'
import { v7 as newId } from 'uuid'
import { afterAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { startAccessPlane } from '../access-plane.ts'
import { enrolHolder } from '../ledger/holder.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client, rootToken, url } = plane
const holder = await enrolHolder(plane)
await client.createTeam({ name: 'ads' })
const child = await client.createTeam({ name: 'video', parent: 'ads' })
const { id } = await client.setBudget({ team: 'ads', window: 'total', limit: '1000' })
const lease = await holder.take([id], 400)
await holder.settle({ leaseId: lease.leaseId, amount: 400, settled: 300, actual: 300 })
const soon = Date.now() + 3_600_000

async function ask(method: string, path: string, body: unknown, token = rootToken) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { error } = (await response.json()) as { error?: { code: string; message: string } }
  return { status: response.status, code: error?.code ?? '', message: error?.message ?? '' }
}
const sums = async () => ({ ...(await client.getBudget({ id })).current, asOfMs: 0 })

const amounts = [
  ['negative', '-1'],
  ['a negative zero', '-0'],
  ['beyond what the ledger can hold', '9223372036854775808'],
  ['absurdly long', '9'.repeat(4000)],
  ['a fraction', '1.5'],
  ['in words of floats', '1e9'],
  ['not a number', 'NaN'],
  ['empty', ''],
  ['a number and no text', 1000],
  ['null', null],
  ['text with white space', ' 10 '],
  ['hexadecimal', '0x10'],
] as const
const places = [
  ['a budget', 'PUT', '/v1/budgets', (limit: unknown) => ({ team: 'ads', window: 'day', limit })],
  ['a preview', 'POST', '/v1/budgets/preview', (limit: unknown) => ({ team: 'ads', window: 'day', limit })],
  [
    'an override',
    'PUT',
    `/v1/budgets/${id}/override`,
    (limit: unknown) => ({ limit, untilMs: soon, reason: 'test' }),
  ],
] as const

describe('an amount that cannot be', () => {
  it.each(
    places.flatMap(([what, method, path, body]) =>
      amounts.map(([how, amount]) => ({ what, method, path, body, how, amount })),
    ),
  )('is refused for $what: $how', async ({ method, path, body, amount }) => {
    const before = await sums()
    const refusal = await ask(method, path, body(amount))
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(refusal.message).toContain('limit')
    expect(refusal.message.length).toBeLessThan(1000)
    expect(await sums()).toEqual(before)
  })
})

describe('a time that no date is written with', () => {
  const never = [253_402_300_800_000, 9e15, 1e17, -1, 1.5]
  it.each(never)('is refused and changes nothing: %d', async (timeMs) => {
    const before = await sums()
    const override = { limit: '5', untilMs: timeMs, reason: 'test' }
    const settled = { leaseId: lease.leaseId, hold: '1', actual: '1', overrun: '0', evidence: 'reported' }
    const report = {
      ...{ incarnation: holder.incarnation, leases: [] },
      settlements: [{ callId: newId(), attempt: 0, ...settled, timeMs }],
    }
    for (const refusal of [
      await ask('PUT', `/v1/budgets/${id}/override`, override),
      await ask('POST', '/v1/keys', { team: 'ads', name: 'late', expiresMs: timeMs }),
      await ask('POST', '/v1/tokens', { name: 'late', role: 'viewer', expiresMs: timeMs }),
    ]) {
      expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' })
    }
    await expect(holder.ask('gatewaySettle', report as never)).rejects.toMatchObject({ status: 400 })
    expect(await sums()).toEqual(before)
  })
})

describe('a report of a gateway that cannot be', () => {
  const report = (leases: object, settlements: object = {}) => ({
    incarnation: holder.incarnation,
    leases: [{ leaseId: lease.leaseId, amount: '400', settled: '300', final: false, ...leases }],
    settlements: [
      {
        ...{ callId: newId(), attempt: 0, leaseId: lease.leaseId, hold: '10', actual: '10', overrun: '0' },
        ...{ evidence: 'reported', timeMs: Date.now(), ...settlements },
      },
    ],
  })
  it.each([
    ['settled more than the lease', report({ settled: '401' })],
    ['final with a rest', report({ final: true })],
    ['a negative amount', report({ amount: '-1' })],
    ['a negative cost', report({}, { actual: '-5' })],
    ['an overrun above the cost', report({}, { actual: '5', overrun: '6' })],
    [
      'an overrun beyond what the ledger can hold',
      report({}, { overrun: '9'.repeat(40), actual: '9'.repeat(40) }),
    ],
    ['an attempt before the first', report({}, { attempt: -1 })],
    ['evidence of another kind', report({}, { evidence: 'hearsay' })],
  ])('moves no money: %s', async (_, body) => {
    const before = await sums()
    await expect(holder.ask('gatewaySettle', body as never)).rejects.toMatchObject({ status: 400 })
    expect(await sums()).toEqual(before)
    expect((await client.reconcileBudgets()).differences).toEqual([])
  })
})

describe('a change of the tree or of access that cannot be', () => {
  it.each([
    ['a team below itself', 'ads', 'ads'],
    ['a team below its child', 'ads', child.id],
    ['a team below what is not there', 'ads', newId()],
  ])('is refused: %s', async (_, team, parent) => {
    const { revision } = (await client.listTeams()).items.find(({ path }) => path === 'ads') ?? {}
    await expect(client.updateTeam({ team, revision: revision ?? 0, parent })).rejects.toMatchObject({
      status: expect.toBeOneOf([400, 404, 409]),
    })
    expect((await client.listTeams()).items.map(({ path }) => path)).toEqual(['', 'ads', 'ads/video'])
  })

  it('is refused: a node with spend is deleted', async () => {
    await expect(client.deleteTeam({ team: 'ads' })).rejects.toMatchObject({ status: 409 })
    expect(await sums()).toMatchObject({ settled: '300' })
  })

  it('is refused: a token that ended, was taken back, or never was', async () => {
    const expires = await client.createToken({ name: 'short', role: 'owner', expiresMs: Date.now() + 60_000 })
    const revoked = await client.createToken({ name: 'gone', role: 'owner' })
    await client.revokeToken({ id: revoked.id })
    plane.clock.offsetMs += 61_000
    for (const token of [expires.token, revoked.token, `${revoked.token}x`, 'Bearer', '']) {
      expect((await ask('GET', '/v1/budgets', undefined, token)).status).toBe(401)
    }
    plane.clock.offsetMs = 0
  })

  it('is refused: of two who set a budget on the same revision the second', async () => {
    const [one, two] = [rootToken, (await client.createToken({ name: 'two', role: 'owner' })).token].map(
      (token) => createClient({ url, token }),
    )
    const { revision } = await client.getBudget({ id })
    const wish = { team: 'ads', window: 'total', revision } as const
    const results = await Promise.allSettled([
      one?.setBudget({ ...wish, limit: '2000' }),
      two?.setBudget({ ...wish, limit: '3000' }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const won = results[0]?.status === 'fulfilled' ? '2000' : '3000'
    expect(await client.getBudget({ id })).toMatchObject({ limit: won, revision: revision + 1 })
  })
})
