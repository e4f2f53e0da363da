import { createClient } from '@signalbox/sdk'
import { sql } from 'drizzle-orm'
import { afterAll, expect, test } from 'vitest'
import { sessionIdleMsMax } from '../../../control-plane/identity/sessions.ts'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'
import { errorOf } from '../served-app.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane
const password = 'correct horse battery staple'
const ada = await client.createUser({ name: 'ada', password, grants: [{ role: 'owner' }] })

/** From the console's own pages, as a browser says. */
const own = { 'sec-fetch-site': 'same-origin' }
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${plane.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
async function signIn(name: string, secret: string): Promise<{ cookie: string; line: string }> {
  const response = await post('/v1/sign-in', { name, password: secret })
  expect(response.status).toBe(200)
  const [line = ''] = response.headers.getSetCookie()
  return { cookie: line.split(';')[0] ?? '', line }
}
const ask = (path: string, cookie: string) => fetch(`${plane.url}${path}`, { headers: { cookie } })

test('there is no account and no password before somebody makes one', async () => {
  const empty = await startAccessPlane(await createTestDatabase())
  expect(await (await fetch(`${empty.url}/v1/sign-in`)).json()).toEqual({
    password: false,
    oidc: null,
    signedInAs: null,
  })
  expect((await empty.client.listUsers()).items).toEqual([])
  await empty.stop()
})

test('name and password begin a session, whose cookie no script and no other site can use', async () => {
  const { cookie, line } = await signIn(' ADA ', password)
  expect(line).toMatch(/^sb_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
  const me = await (await ask('/v1/me', cookie)).json()
  expect(me).toMatchObject({ kind: 'user', userId: ada.id, name: 'ada', role: 'owner', tokenId: null })
  expect(await (await ask('/v1/sign-in', cookie)).json()).toMatchObject({ signedInAs: 'ada' })
  expect(await (await ask('/v1/sign-in', 'sb_session=x')).json()).toMatchObject({ signedInAs: null })
  const body = { name: 'by-cookie' }
  for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }]) {
    const refused = await post('/v1/teams', body, { cookie, ...(headers as Record<string, string>) })
    expect(await errorOf(refused)).toMatchObject({ status: 403, code: 'forbidden' })
  }
  expect((await post('/v1/teams', body, { cookie, ...own })).status).toBe(201)
  const origin = { cookie, origin: plane.url }
  expect((await post('/v1/teams', { name: 'by-origin' }, origin)).status).toBe(201)
  const { items } = await client.listAudit({ limit: 3 })
  expect(items.map(({ actor, action }) => `${actor} ${action}`)).toContain('user ada createTeam')
})

test('what is stored is neither the password nor the cookie', async () => {
  const { cookie } = await signIn('ada', password)
  const rows = await plane.db.execute(
    sql`select u::text, s::text from console_user u left join console_session s on s.user_id = u.id`,
  )
  const text = JSON.stringify(rows.rows)
  expect(text).toContain('scrypt$15$8$3$')
  expect(text).not.toContain(password)
  expect(text).not.toContain(cookie.split('=')[1])
})

test('sessions are listed, ended one by one, by signing out, and when they are not used', async () => {
  const [one, two, three] = [
    await signIn('ada', password),
    await signIn('ada', password),
    await signIn('ada', password),
  ]
  const list = (await (await ask('/v1/sessions', one.cookie)).json()) as {
    items: { id: string; current: boolean }[]
  }
  expect(list.items.filter((each) => each.current)).toHaveLength(1)
  const [newest] = list.items
  const ended = await post(`/v1/sessions/${newest?.id}/revoke`, {}, { cookie: one.cookie, ...own })
  expect(ended.status).toBe(200)
  expect(await errorOf(await ask('/v1/me', three.cookie))).toMatchObject({ status: 401, code: 'key_revoked' })
  const out = await post('/v1/sign-out', {}, { cookie: two.cookie, ...own })
  expect(out.headers.getSetCookie()[0]).toMatch(/^sb_session=;.*Max-Age=0/)
  expect(await errorOf(await ask('/v1/me', two.cookie))).toMatchObject({ code: 'key_revoked' })
  expect((await ask('/v1/me', one.cookie)).status).toBe(200)
  plane.clock.offsetMs += sessionIdleMsMax + 1000
  expect(await errorOf(await ask('/v1/me', one.cookie))).toMatchObject({ code: 'key_revoked' })
  expect(await errorOf(await ask('/v1/me', 'sb_session=forged'))).toMatchObject({ code: 'key_invalid' })
  const foreign = await client.createUser({ name: 'foreign', password, grants: [] })
  expect(foreign.grants).toEqual([])
})

test('another site signs nobody in', async () => {
  const body = { name: 'ada', password }
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }]) {
    const refused = await post('/v1/sign-in', body, headers as Record<string, string>)
    expect(await errorOf(refused)).toMatchObject({ status: 403, code: 'forbidden' })
  }
  expect((await post('/v1/sign-in', body, own)).status).toBe(200)
})

test('guessing is slowed down, and a wrong name looks like a wrong password', async () => {
  const attempt = (name: string) => post('/v1/sign-in', { name, password: 'wrong' })
  const wrong = await errorOf(await attempt('nobody'))
  expect(wrong).toMatchObject({ status: 401, message: 'Name or password is wrong.' })
  await client.createUser({ name: 'bob', password, grants: [{ role: 'viewer' }] })
  for (let count = 0; count < 5; count++) {
    expect(await errorOf(await attempt('bob'))).toMatchObject({ status: 401, message: wrong.message })
  }
  const slowed = await attempt('bob')
  expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(60)
  expect(await errorOf(slowed)).toMatchObject({ status: 429, code: 'rate_limited' })
  expect((await post('/v1/sign-in', { name: 'bob', password })).status).toBe(429)
})

test('passwords that everybody tries are refused', async () => {
  const made = (name: string, secret: string) => client.createUser({ name, password: secret, grants: [] })
  for (const poor of ['short', 'aaaaaaaaaaaaaaa', 'password12345', 'Signalbox-2026!', 'charlie-123456']) {
    expect(await refusalOf(made('charlie', poor)), poor).toMatchObject({ status: 400, param: 'password' })
  }
})

test('a changed password ends all other sessions', async () => {
  const name = 'dora'
  await client.createUser({ name, password, grants: [{ role: 'viewer' }] })
  const [here, elsewhere] = [await signIn(name, password), await signIn(name, password)]
  const change = (current: string) =>
    post('/v1/me/password', { current, password: 'another long password' }, { cookie: here.cookie, ...own })
  expect(await errorOf(await change('wrong'))).toMatchObject({ status: 401, param: 'current' })
  expect((await change(password)).status).toBe(200)
  expect((await ask('/v1/me', here.cookie)).status).toBe(200)
  expect((await ask('/v1/me', elsewhere.cookie)).status).toBe(401)
  await signIn(name, 'another long password')
})

test('an admin changes users, but no owner, and gives nobody more than they hold', async () => {
  const { token } = await client.createToken({ name: 'an admin', role: 'admin' })
  const admin = createClient({ url: plane.url, token })
  const erin = await admin.createUser({ name: 'erin', password, grants: [{ role: 'finance' }] })
  const { id, revision } = erin
  expect(await refusalOf(admin.updateUser({ id, revision, grants: [{ role: 'owner' }] }))).toMatchObject({
    status: 403,
  })
  const owner = { id: ada.id, revision: ada.revision }
  expect(await refusalOf(admin.updateUser({ ...owner, password: 'a stolen account' }))).toMatchObject({
    status: 403,
  })
  const { cookie } = await signIn('erin', password)
  const disabled = await admin.updateUser({ id, revision, disabled: true })
  expect(disabled).toMatchObject({ revision: 2, grants: [{ role: 'finance' }] })
  expect((await ask('/v1/me', cookie)).status).toBe(401)
  expect((await post('/v1/sign-in', { name: 'erin', password })).status).toBe(401)
  expect(await refusalOf(admin.updateUser({ id, revision, displayName: 'late' }))).toMatchObject({
    status: 409,
    param: 'revision',
  })
  expect(await refusalOf(admin.createUser({ name: 'erin', password, grants: [] }))).toMatchObject({
    code: 'already_exists',
  })
})
