import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { startIdentityProvider } from '../../support/identity-provider.ts'
import { startAccessPlane } from '../access-plane.ts'
import { errorOf } from '../served-app.ts'

const publicUrl = 'http://127.0.0.1:9'
const callback = '/v1/sign-in/oidc/callback'
const provider = await startIdentityProvider(`${publicUrl}${callback}`)
const { issuer, clientId, clientSecret } = provider
const plane = await startAccessPlane(await createTestDatabase(), {
  oidc: {
    settings: {
      ...{ name: 'Acme', issuer, clientId, clientSecret, publicUrl },
      ...{ scopes: 'openid profile', roleClaim: 'groups' },
    },
    mapping: [
      { value: 'platform', role: 'admin', path: '' },
      { value: 'searchers', role: 'developer', path: 'search' },
      { value: 'lost', role: 'viewer', path: 'nowhere' },
    ],
  },
})
afterAll(() => plane.stop())
await plane.client.createTeam({ name: 'search' })

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((each) => each.split(';')[0] ?? '')
    .filter((each) => !each.endsWith('='))
    .join('; ')

/** Goes to the provider; gives where it sends the browser back to, and the cookie of the sign-in. */
async function begin() {
  const response = await fetch(`${plane.url}/v1/sign-in/oidc`, { redirect: 'manual' })
  expect(response.status).toBe(302)
  const sent = new URL(response.headers.get('location') ?? '')
  const back = await provider.visit(sent.href)
  expect(back.origin + back.pathname).toBe(`${publicUrl}${callback}`)
  return { sent, back, cookie: cookiesOf(response), setCookie: response.headers.getSetCookie() }
}
const finish = (search: string, cookie: string) =>
  fetch(`${plane.url}${callback}${search}`, { redirect: 'manual', headers: { cookie } })
const me = async (cookie: string) => {
  const response = await fetch(`${plane.url}/v1/me`, { headers: { cookie } })
  return (await response.json()) as { name: string; userId: string; grants: { role: string }[] }
}

test('somebody signs in at the provider, with PKCE, state and nonce, and gets the roles of their groups', async () => {
  provider.person = { subject: 'ada-1', name: 'Ada', groups: ['platform', 'searchers', 'others'] }
  const { sent, back, cookie, setCookie } = await begin()
  expect(Object.fromEntries(sent.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    redirect_uri: `${publicUrl}${callback}`,
  })
  expect([sent.searchParams.get('state'), sent.searchParams.get('nonce')]).not.toContain(null)
  expect(setCookie[0]).toMatch(/HttpOnly; SameSite=Lax/)
  const done = await finish(back.search, cookie)
  expect(done.status).toBe(302)
  expect(done.headers.get('location')).toBe('/')
  expect(done.headers.getSetCookie().join()).toMatch(
    /sb_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict/,
  )
  const who = await me(cookiesOf(done))
  expect(who).toMatchObject({ name: 'ada', kind: 'user', role: 'admin', passwordChangeable: false })
  expect(who.grants).toMatchObject([
    { role: 'admin', node: { path: '' } },
    { role: 'developer', node: { path: 'search' } },
  ])
  const { items } = await plane.client.listAudit({ limit: 1 })
  expect(items[0]).toMatchObject({ actor: 'user ada', action: 'finishOidcSignIn' })
})

test('the next sign-in is the same user, with the roles that they have then', async () => {
  provider.person = { subject: 'ada-1', name: 'Ada', groups: ['searchers'] }
  const { back, cookie } = await begin()
  const again = await me(cookiesOf(await finish(back.search, cookie)))
  expect(again.grants.map(({ role }) => role)).toEqual(['developer'])
  const { items } = await plane.client.listUsers()
  expect(items.filter(({ name }) => name === 'ada')).toHaveLength(1)
})

test('an answer is taken once, in its own browser, in time, and as it was sent', async () => {
  const { back, cookie } = await begin()
  const other = await begin()
  const refused = async (search: string, with_: string) => errorOf(await finish(search, with_))
  expect(await refused(back.search, '')).toMatchObject({ status: 401, code: 'key_invalid' })
  expect(await refused(back.search, other.cookie)).toMatchObject({ status: 401, code: 'key_invalid' })
  expect((await finish(back.search, cookie)).status).toBe(302)
  expect(await refused(back.search, cookie)).toMatchObject({ status: 401, message: /used already/ })
  const forged = new URLSearchParams(other.back.search)
  forged.set('code', 'x'.repeat(43))
  expect(await refused(`?${forged}`, other.cookie)).toMatchObject({ status: 401, code: 'key_invalid' })
  const late = await begin()
  plane.clock.offsetMs += 11 * 60_000
  expect(await refused(late.back.search, late.cookie)).toMatchObject({ status: 401, message: /too old/ })
})

test('a code that another sign-in began is not redeemed: the verifier differs', async () => {
  const [one, two] = [await begin(), await begin()]
  const mixed = new URLSearchParams(two.back.search)
  mixed.set('code', one.back.searchParams.get('code') ?? '')
  expect(await errorOf(await finish(`?${mixed}`, two.cookie))).toMatchObject({
    status: 401,
    code: 'key_invalid',
  })
})

test('somebody without a role, or disabled, is not let in', async () => {
  provider.person = { subject: 'eve', name: 'eve', groups: ['others', 'lost'] }
  const first = await begin()
  expect(await errorOf(await finish(first.back.search, first.cookie))).toMatchObject({
    status: 403,
    message: /gives you a role/,
  })
  expect((await plane.client.listUsers()).items.map(({ name }) => name)).not.toContain('eve')
  const ada = (await plane.client.listUsers()).items.find(({ name }) => name === 'ada')
  await plane.client.updateUser({ id: ada?.id ?? '', revision: ada?.revision ?? 0, disabled: true })
  provider.person = { subject: 'ada-1', name: 'Ada', groups: ['platform'] }
  const second = await begin()
  expect(await errorOf(await finish(second.back.search, second.cookie))).toMatchObject({ status: 403 })
})

test('a browser that is refused goes to the console, which is told the code alone', async () => {
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  const visit = async (search: string, cookie: string) => {
    const headers = { cookie, accept }
    const response = await fetch(`${plane.url}${callback}${search}`, { redirect: 'manual', headers })
    return [response.status, response.headers.get('location'), response.headers.getSetCookie()]
  }
  provider.person = { subject: 'mallory', name: 'mallory', groups: [] }
  const { back, cookie } = await begin()
  expect(await visit(back.search, cookie)).toEqual([302, '/?refused=forbidden', []])
  expect(await visit(back.search, cookie)).toEqual([302, '/?refused=key_invalid', []])
})

test('the name of a local account is not taken over', async () => {
  const grants = [{ role: 'owner' as const }]
  const local = await plane.client.createUser({ name: 'grace', password: 'a long way to Tipperary', grants })
  provider.person = { subject: 'grace-9', name: 'grace', groups: ['searchers'] }
  const { back, cookie } = await begin()
  const who = await me(cookiesOf(await finish(back.search, cookie)))
  expect(who.userId).not.toBe(local.id)
  expect(who.name).toMatch(/^grace-[0-9a-f]{8}$/)
  expect(who.grants.map(({ role }) => role)).toEqual(['developer'])
})

test('the sign-in page learns what is offered', async () => {
  const response = await fetch(`${plane.url}/v1/sign-in`)
  expect(await response.json()).toEqual({
    password: true,
    oidc: { name: 'Acme', path: '/v1/sign-in/oidc' },
    signedInAs: null,
  })
})
