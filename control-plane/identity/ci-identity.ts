import { createRemoteJWKSet, decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { CiJob } from '../db/tables/access.ts'
import type { CiTrustRow } from '../stores/ci-trusts.ts'

/** Clocks of issuers and ours may differ by so much. */
const clockToleranceS = 30
const timeoutMs = 5000
const issuersMax = 64
/** Asymmetric ones alone: with a shared secret whoever verifies could also issue. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
/** Why an identity is not good enough; the message names no value of it. */
export class IdentityRefused extends Error {
  override name = 'IdentityRefused'
}

/** Who an identity says it is from, before anything of it is believed. */
export function issuerOf(identity: string): string | undefined {
  try {
    return decodeJwt(identity).iss
  } catch {
    return undefined
  }
}

/** `*` stands for any text, also for none; everything else for itself. */
export function fitsPattern(value: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(value)
}

/** The first claim that does not say what a trust asks for. */
function failingClaim(claims: JWTPayload, wanted: CiTrustRow['claims']): string | undefined {
  return Object.entries(wanted).find(([name, patterns]) => {
    const said = [claims[name]].flat()
    return !said.some(
      (value) =>
        (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') &&
        patterns.some((pattern) => fitsPattern(String(value), pattern)),
    )
  })?.[0]
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 512) : undefined

/** What GitHub Actions and GitLab say of a job, by the names that each of them uses. */
function jobOf(claims: JWTPayload): CiJob {
  const repository = text(claims.repository) ?? text(claims.project_path)
  const commit = text(claims.sha)
  const runId = text(claims.run_id)
  const server =
    text(claims.server_url) ?? claims.iss?.replace('token.actions.githubusercontent.com', 'github.com')
  const run =
    runId === undefined ? text(claims.job_id) : `${server}/${repository}/actions/runs/${runId}`.slice(0, 512)
  return {
    issuer: claims.iss ?? '',
    subject: claims.sub ?? '',
    ...(run !== undefined && { run }),
    ...(commit !== undefined && { commit }),
    ...(repository !== undefined && { repository }),
  }
}

/** Verifies identities of CI jobs against the keys of their issuers, which are fetched when they are first needed. */
export class CiIdentities {
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>()

  async #keysOf({ issuer, jwksUrl }: CiTrustRow): Promise<JWTVerifyGetKey> {
    const name = `${issuer} ${jwksUrl}`
    const known = this.#keys.get(name)
    if (known !== undefined) return await known
    const finding = (async () => {
      const url = jwksUrl ?? (await discover(issuer))
      return createRemoteJWKSet(new URL(url), { timeoutDuration: timeoutMs })
    })()
    if (this.#keys.size >= issuersMax) this.#keys.clear()
    this.#keys.set(name, finding)
    finding.catch(() => this.#keys.delete(name))
    return await finding
  }

  /**
   * What an identity says, where it is signed by the issuer, for the audience, in its time, and says what is asked for.
   * @throws IdentityRefused otherwise.
   */
  async verify(
    identity: string,
    trust: CiTrustRow,
    nowMs: number,
  ): Promise<{ readonly job: CiJob; readonly expiresMs: number }> {
    const { issuer, audience } = trust
    const { payload } = await jwtVerify(identity, await this.#keysOf(trust), {
      ...{ issuer, audience, algorithms, clockTolerance: clockToleranceS, currentDate: new Date(nowMs) },
      requiredClaims: ['exp', 'iat', 'sub'],
    }).catch((cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
      throw new IdentityRefused(`the identity is not valid (${code})`, { cause })
    })
    const failing = failingClaim(payload, trust.claims)
    if (failing !== undefined)
      throw new IdentityRefused(`the claim "${failing}" is not what the trust asks for`)
    return { job: jobOf(payload), expiresMs: ((payload.exp ?? 0) + clockToleranceS) * 1000 }
  }
}

/** Where an issuer's keys are (OpenID Connect Discovery 1.0 §4). */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
  const reply = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' }).catch(
    (cause: unknown) => {
      throw new IdentityRefused('the issuer cannot be reached', { cause })
    },
  )
  const found = (await reply.json().catch(() => ({}))) as { issuer?: unknown; jwks_uri?: unknown }
  if (found.issuer !== issuer || typeof found.jwks_uri !== 'string') {
    throw new IdentityRefused('the issuer does not say where its keys are')
  }
  return found.jwks_uri
}
