import { createHash } from 'node:crypto'
import type { Facts } from '@signalbox/sdk/contract'

type Metadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The same name for the same value, from which the value cannot be read back without trying all there are. */
function pseudonym(value: string): string {
  return `masked-${createHash('sha256').update(value).digest('hex').slice(0, 12)}`
}

/** A text of one of a few declared values tells nothing about a person; free text may. */
function isFreeText(schema: Readonly<Record<string, unknown>> | undefined): boolean {
  return schema?.enum === undefined && schema?.const === undefined
}

/**
 * Facts without what names a person, a key or a session: each such text becomes a pseudonym, free-text metadata
 * too. Teams and nodes stay, since policies match them. Rollouts see other sticky keys then, so `inBucket` may come
 * out differently.
 */
export function maskFacts(facts: Facts, metadata: Metadata): Facts {
  const { request, subject, session } = facts
  const masked = Object.entries(request.metadata).map(([name, value]) => {
    const hides =
      typeof value === 'string' && isFreeText(Object.hasOwn(metadata, name) ? metadata[name] : undefined)
    return [name, hides ? pseudonym(value) : value] as const
  })
  const { client: _, ...plain } = request
  const { userId, stickyKey } = subject
  return {
    ...facts,
    request: { ...plain, id: pseudonym(request.id), metadata: Object.fromEntries(masked) },
    subject: {
      ...subject,
      organisationId: pseudonym(subject.organisationId),
      keyId: pseudonym(subject.keyId),
      keyName: pseudonym(subject.keyName),
      ...(userId !== undefined && { userId: pseudonym(userId) }),
      ...(stickyKey !== undefined && { stickyKey: pseudonym(stickyKey) }),
    },
    ...(session !== undefined && { session: { id: pseudonym(session.id) } }),
  }
}

/** What two records must share to be one fixture: all but the time, the chance and the id of the call. */
export function fixtureDigest(facts: Facts): string {
  const { nowMs: _now, seed: _seed, request, budget, ...others } = facts
  const { id: _id, ...asked } = request
  const { asOfMs: _asOf, ...money } = budget
  return createHash('sha256')
    .update(JSON.stringify([others, asked, money]))
    .digest('hex')
}
