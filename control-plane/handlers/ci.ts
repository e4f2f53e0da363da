import { hash } from 'node:crypto'
import { type BodyOf, type ciOperations, Refusal, type ReplyOf } from '@signalbox/sdk/contract'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import { validate as isUuid } from 'uuid'
import { grantsOf } from '../authorize.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { CiIdentities, IdentityRefused, issuerOf } from '../identity/ci-identity.ts'
import { requireGrantable } from '../identity/grants.ts'
import { withAudit } from '../stores/audit.ts'
import {
  type CiTrustRow,
  deleteCiTrustRow,
  findCiTrusts,
  insertCiTrust,
  listCiTrusts,
  type PlacedCiTrust,
  useCiIdentity,
} from '../stores/ci-trusts.ts'
import { resolveNode } from '../stores/nodes.ts'
import { insertToken } from '../stores/tokens.ts'

type CiHandlers = Handlers<typeof ciOperations>
const lifetimeSDefault = 900
/** Identities that are looked at in a minute; more are sent away. */
const exchangesPerMinuteMax = 120

function viewOf({
  nodeId,
  path,
  organisationId: _,
  ...trust
}: PlacedCiTrust): ReplyOf<typeof ciOperations.createCiTrust> {
  return { ...trust, node: { id: nodeId, path } }
}

/** @throws Refusal for an issuer in clear text elsewhere than here, and for a trust that asks for nothing. */
function checkTrust({ issuer, jwksUrl, claims }: BodyOf<typeof ciOperations.createCiTrust>): void {
  for (const [param, url] of Object.entries({ issuer, jwksUrl })) {
    if (url === undefined) continue
    const { protocol, hostname } = new URL(url)
    const isLocal = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]'
    if (protocol !== 'https:' && !isLocal)
      throw new Refusal('invalid_request', { message: `${param} must be https.`, param })
  }
  const telling = Object.values(claims).some((values) =>
    values.every((value) => value.replaceAll('*', '') !== ''),
  )
  if (!telling) {
    throw new Refusal('invalid_request', {
      message:
        'claims must say which jobs are meant, like {"repository":["acme/policies"]}: an issuer has everybody\'s.',
      param: 'claims',
    })
  }
}

function createCiTrust(tools: Dependencies): CiHandlers['createCiTrust'] {
  return async ({ organisationId, actor, caller }, { body }) => {
    checkTrust(body)
    const { path, id: nodeId } = await resolveNode(tools.db, organisationId, body.node ?? '')
    requireGrantable(grantsOf(caller), { role: body.role, path })
    const row: CiTrustRow = {
      ...{ id: tools.newId(), organisationId, name: body.name, issuer: body.issuer, audience: body.audience },
      ...{ jwksUrl: body.jwksUrl ?? null, claims: body.claims, role: body.role, nodeId },
      ...{ lifetimeS: body.lifetimeS ?? lifetimeSDefault, createdMs: tools.nowMs(), createdBy: actor },
    }
    await withAudit(tools, { organisationId, actor, action: 'createCiTrust' }, async (tx) => {
      await insertCiTrust(tx, row)
      const { name, issuer, audience, claims, role, lifetimeS } = row
      const detail = { name, issuer, audience, claims, role, node: path, lifetimeS }
      return { result: undefined, audit: { object: `ci-trust ${row.id}`, detail } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'ci_trust_name')) throw error
      throw new Refusal('already_exists', { message: `There is a trust "${row.name}" already.` })
    })
    return viewOf({ ...row, path })
  }
}

/** The trust that an identity is good for, of all that know its issuer. @throws Refusal where it is good for none. */
async function findTrust(tools: Dependencies, identities: CiIdentities, identity: string) {
  const issuer = issuerOf(identity)
  const trusts = issuer === undefined ? [] : await findCiTrusts(tools.db, issuer)
  const reasons: string[] = []
  for (const trust of trusts) {
    try {
      return { trust, ...(await identities.verify(identity, trust, tools.nowMs())) }
    } catch (error) {
      if (!(error instanceof IdentityRefused)) throw error
      reasons.push(`${trust.name}: ${error.message}`)
    }
  }
  tools.log.warn({ issuer, reasons }, 'an identity of a CI job was refused')
  // Who is not known learns only that; what is wanted stands in the log.
  throw new Refusal('key_invalid', { message: 'No trust of this organisation fits the identity.' })
}

function exchangeCiToken(tools: Dependencies): CiHandlers['exchangeCiToken'] {
  const identities = new CiIdentities()
  let window = { startMs: 0, count: 0 }
  return async (_context, { body: { identity } }) => {
    const nowMs = tools.nowMs()
    if (nowMs - window.startMs >= 60_000) window = { startMs: nowMs, count: 0 }
    if (++window.count > exchangesPerMinuteMax) throw new Refusal('rate_limited')
    const { trust, job, expiresMs: identityExpiresMs } = await findTrust(tools, identities, identity)
    const { organisationId, role, nodeId, path, lifetimeS } = trust
    const secret = createSecret('token')
    const expiresMs = nowMs + lifetimeS * 1000
    const name = `ci ${trust.name}`
    const audit = { organisationId, actor: name, action: 'exchangeCiToken' }
    await withAudit(tools, audit, async (tx) => {
      const used = { organisationId, hash: hash('sha256', identity, 'hex'), expiresMs: identityExpiresMs }
      if (!(await useCiIdentity(tx, used, nowMs))) {
        throw new Refusal('key_invalid', {
          message: 'This identity was exchanged already: ask for a new one.',
        })
      }
      const id = tools.newId()
      await insertToken(tx, {
        ...{
          id,
          organisationId,
          name,
          role,
          nodeId,
          kind: 'token',
          hash: hashSecret(secret),
          createdMs: nowMs,
        },
        ...{ expiresMs, lastUsedMs: null, revokedMs: null, ci: job },
      })
      return {
        result: undefined,
        audit: { object: `token ${id}`, detail: { ...job, role, node: path, expiresMs } },
      }
    })
    return { token: secret, expiresMs, name: trust.name, role, node: { id: nodeId, path } }
  }
}

/** CI jobs without stored secrets: their identities, exchanged for short-lived tokens. */
export function createCiHandlers(tools: Dependencies): CiHandlers {
  return {
    async listCiTrusts({ organisationId }) {
      return { items: (await listCiTrusts(tools.db, organisationId)).map(viewOf) }
    },
    createCiTrust: createCiTrust(tools),
    async deleteCiTrust({ organisationId, actor }, { params }) {
      await withAudit(tools, { organisationId, actor, action: 'deleteCiTrust' }, async (tx) => {
        const row = isUuid(params.id) ? await deleteCiTrustRow(tx, organisationId, params.id) : undefined
        if (row === undefined) throw new Refusal('not_found', { message: 'There is no such trust.' })
        const { name, issuer, claims, role } = row
        return {
          result: undefined,
          audit: { object: `ci-trust ${row.id}`, detail: { name, issuer, claims, role } },
        }
      })
      return { id: params.id }
    },
    exchangeCiToken: exchangeCiToken(tools),
  }
}
