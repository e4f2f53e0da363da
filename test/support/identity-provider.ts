import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { afterAll } from 'vitest'

export interface IdentityProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Who signs in next, and the groups that their claim names. */
  person: { readonly subject: string; readonly name: string; readonly groups: readonly string[] }
  /** Goes where a browser is sent, signs in, and gives where the provider sends it back to. */
  visit(url: string): Promise<URL>
}

/** A real OpenID provider on this machine that asks for PKCE and puts groups into userinfo. */
export async function startIdentityProvider(redirectUri: string): Promise<IdentityProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clientId = 'signalbox'
  const clientSecret = 'a secret between the two of them'
  const running = { person: { subject: 'ada', name: 'ada', groups: [] as readonly string[] } }
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ['for tests'] },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/person/${uid}` },
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        name: `${running.person.name} of the provider`,
        preferred_username: running.person.name,
        groups: running.person.groups,
      }),
    }),
    async loadExistingGrant({ oidc }: import('oidc-provider').KoaContext) {
      const { clientId: of } = oidc.client
      const grant = new oidc.provider.Grant({ clientId: of, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  })
  const callback = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/person/') !== true) return callback(request, response)
    const login = { accountId: running.person.subject }
    provider.interactionFinished(request, response, { login }).catch(() => response.destroy())
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  async function visit(url: string): Promise<URL> {
    const jar = new Map<string, string>()
    let at = new URL(url)
    for (let step = 0; step < 10 && at.origin === issuer; step++) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(at, { redirect: 'manual', headers: { cookie } })
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';')
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
      const location = response.headers.get('location')
      if (location === null) throw new Error(`${response.status} at ${at.href}: ${await response.text()}`)
      at = new URL(location, at)
    }
    return at
  }
  return Object.assign(running, { issuer, clientId, clientSecret, visit })
}
