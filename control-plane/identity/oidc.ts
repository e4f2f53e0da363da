import { Refusal } from '@signalbox/sdk/contract'
import * as client from 'openid-client'

/** How people of an identity provider sign in. */
export interface OidcSettings {
  /** Shown on the sign-in page. */
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  /** None for a public client. */
  readonly clientSecret: string | undefined
  readonly scopes: string
  /** Claim of the ID token, or of userinfo, that holds a person's groups. */
  readonly roleClaim: string
  /** Where browsers reach the console: `https://signalbox.example.com`. */
  readonly publicUrl: string
}
/** What is kept while a person is at the provider. */
export interface PendingSignIn {
  readonly nonce: string
  readonly codeVerifier: string
}
/** Who came back. */
export interface OidcPerson {
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly displayName: string
  /** Values of the role claim. */
  readonly groups: readonly string[]
}
export interface Oidc {
  readonly name: string
  readonly callbackPath: string
  /** Where to send the browser. @throws Refusal `upstream_unavailable`. */
  begin(): Promise<{ url: string; state: string; pending: PendingSignIn }>
  /**
   * Redeems what the provider sent back in the query: state, nonce, PKCE, signature, issuer, audience and times are
   * checked.
   * @throws Refusal `key_invalid`, `upstream_unavailable`, `upstream_invalid`.
   */
  finish(query: URLSearchParams, sent: PendingSignIn & { readonly state: string }): Promise<OidcPerson>
}

export const callbackPath = '/v1/sign-in/oidc/callback'
const timeoutS = 10
/** A provider's keys and endpoints are looked up again after this. */
const discoveryMs = 3_600_000
const groupsMax = 512

const isLoopback = (url: URL): boolean => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)

/** OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636), by `openid-client`. */
export function createOidc(settings: OidcSettings, nowMs: () => number): Oidc {
  const redirectUri = new URL(callbackPath, settings.publicUrl).href
  let known: { readonly config: client.Configuration; readonly untilMs: number } | undefined

  async function discover(): Promise<client.Configuration> {
    if (known !== undefined && known.untilMs > nowMs()) return known.config
    const issuer = new URL(settings.issuer)
    const { clientId, clientSecret } = settings
    const authentication = clientSecret === undefined ? client.None() : undefined
    // A provider on this machine, for tests and trials, may speak clear text; nobody else may.
    const execute = issuer.protocol === 'http:' && isLoopback(issuer) ? [client.allowInsecureRequests] : []
    try {
      const options = { execute, timeout: timeoutS }
      const config = await client.discovery(issuer, clientId, clientSecret, authentication, options)
      known = { config, untilMs: nowMs() + discoveryMs }
      return config
    } catch (cause) {
      const message = 'The identity provider cannot be reached, or says nothing of itself.'
      throw new Refusal('upstream_unavailable', { message, detail: reasonOf(cause), cause })
    }
  }

  return {
    name: settings.name,
    callbackPath,
    async begin() {
      const config = await discover()
      const codeVerifier = client.randomPKCECodeVerifier()
      const [state, nonce] = [client.randomState(), client.randomNonce()]
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: settings.scopes,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      return { url: url.href, state, pending: { nonce, codeVerifier } }
    },
    async finish(query, sent) {
      const config = await discover()
      const current = new URL(redirectUri)
      current.search = query.toString()
      const tokens = await client
        .authorizationCodeGrant(config, current, {
          pkceCodeVerifier: sent.codeVerifier,
          expectedState: sent.state,
          expectedNonce: sent.nonce,
          idTokenExpected: true,
        })
        .catch(refuseAnswer)
      const claims = tokens.claims()
      if (claims === undefined) throw new Refusal('upstream_invalid')
      const more = await moreClaims(config, tokens.access_token, claims, settings.roleClaim)
      return personOf({ ...more, ...claims }, settings.roleClaim)
    },
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? `${String(error.code)}: ` : ''
  return `${code}${error.message}`
}

/** What the provider, or a check of its answer, says no to. */
function refuseAnswer(error: unknown): never {
  const detail = reasonOf(error)
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    const message = 'The identity provider did not let this sign-in through, or its code was used already.'
    throw new Refusal('key_invalid', { message, detail, cause: error })
  }
  if (error instanceof client.ClientError || error instanceof TypeError) {
    const message = 'The answer of the identity provider does not pass its checks.'
    throw new Refusal('key_invalid', { message, detail, cause: error })
  }
  throw new Refusal('upstream_invalid', { detail, cause: error })
}

/** Many providers put groups and names into userinfo alone. */
async function moreClaims(
  config: client.Configuration,
  accessToken: string,
  claims: client.IDToken,
  roleClaim: string,
): Promise<Readonly<Record<string, unknown>>> {
  const complete = claims[roleClaim] !== undefined && claims.preferred_username !== undefined
  if (complete || config.serverMetadata().userinfo_endpoint === undefined) return {}
  return await client.fetchUserInfo(config, accessToken, claims.sub).catch((cause: unknown) => {
    throw new Refusal('upstream_invalid', {
      message: 'The identity provider does not say who this is.',
      detail: reasonOf(cause),
      cause,
    })
  })
}

const nameLengthMax = 100

function personOf(claims: Readonly<Record<string, unknown>>, roleClaim: string): OidcPerson {
  const text = (name: string): string | undefined => {
    const value = claims[name]
    return typeof value === 'string' && value !== ''
      ? value.slice(0, nameLengthMax).toWellFormed()
      : undefined
  }
  const value = claims[roleClaim]
  const groups = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
  const name = (text('preferred_username') ?? text('email') ?? String(claims.sub)).toLowerCase()
  return {
    issuer: String(claims.iss),
    subject: String(claims.sub),
    name: name.slice(0, nameLengthMax),
    displayName: text('name') ?? name,
    groups: groups.slice(0, groupsMax),
  }
}
