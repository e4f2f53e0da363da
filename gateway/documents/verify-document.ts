import { Envelope, ReleaseDocument, RootDocument, StateDocument } from '@signalbox/sdk/contract'
import {
  authorsWanted,
  countAuthors,
  describeViolations,
  digestOf,
  fits,
  keyIndexRoot,
  openEnvelope,
  type SignerRole,
  violationsOf,
} from '@signalbox/sdk/node'
import type { Static, TSchema } from 'typebox'
import { Rejection } from './rejection.ts'

/** Whom this gateway works for, and whose signatures count. */
export interface Expectation {
  readonly organisationId: string
  readonly environment: string
  readonly root: RootDocument
}
/** A document whose signatures and form are in order. `digest` is over the signed bytes. */
export interface Verified<T> {
  readonly document: T
  readonly digest: string
}
/** The head that release and state share. */
interface Numbered {
  readonly sequence: number
  readonly rollbackOf: number | null
}

function parseEnvelope(text: string): Envelope {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Rejection('the envelope is not JSON', { cause })
  }
  if (fits(Envelope, value)) return value
  throw new Rejection(`the envelope is not valid: ${describeViolations(violationsOf(Envelope, value))}`)
}

function openAs<T extends TSchema>(
  envelope: Envelope,
  schema: T,
  role: SignerRole,
  root: RootDocument,
): Verified<Static<T>> {
  let payload: unknown
  try {
    payload = openEnvelope(envelope, role, root)
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'the payload is not JSON' : (cause as Error).message
    throw new Rejection(reason, { cause })
  }
  if (fits(schema, payload)) return { document: payload, digest: digestOf(envelope.payload) }
  throw new Rejection(`the document is not valid: ${describeViolations(violationsOf(schema, payload))}`)
}

function checkHome(document: ReleaseDocument | StateDocument, expectation: Expectation): void {
  if (document.organisationId !== expectation.organisationId) {
    throw new Rejection(`the document is of organisation ${document.organisationId}`)
  }
  if (document.environment !== expectation.environment) {
    throw new Rejection(
      `the document is of environment "${document.environment}", this gateway serves "${expectation.environment}"`,
    )
  }
}

/** A release: signed by the role `release`, of our organisation and environment. Throws a Rejection. */
export function verifyRelease(text: string, expectation: Expectation): Verified<ReleaseDocument> {
  const verified = openAs(parseEnvelope(text), ReleaseDocument, 'release', expectation.root)
  checkHome(verified.document, expectation)
  checkAuthors(verified.document, expectation.root)
  return verified
}

/** Where the root says so, every version of a release must be signed by enough authors. */
function checkAuthors({ environment, versions }: ReleaseDocument, root: RootDocument): void {
  const wanted = authorsWanted(root, environment)
  if (wanted === 0) return
  for (const [digest, { number, authors = [] }] of Object.entries(versions)) {
    const count = countAuthors(digest, authors, root)
    if (count < wanted) {
      throw new Rejection(
        `version v${number} needs ${wanted} valid signature(s) of role "author", has ${count}`,
      )
    }
  }
}

/** A state: as a release, and its list of key shards has the root that it names. Throws a Rejection. */
export function verifyState(text: string, expectation: Expectation): Verified<StateDocument> {
  const verified = openAs(parseEnvelope(text), StateDocument, 'release', expectation.root)
  const { document } = verified
  checkHome(document, expectation)
  const { shards, root, count, prefixLength } = document.keys
  if (keyIndexRoot(shards.map((shard) => shard.digest)) !== root) {
    throw new Rejection('the key shards do not have the root that the state names')
  }
  if (shards.reduce((sum, shard) => sum + shard.count, 0) !== count) {
    throw new Rejection('the key shards do not hold as many keys as the state names')
  }
  for (const [index, { prefix }] of shards.entries()) {
    const before = shards[index - 1]
    if (prefix.length !== prefixLength || (before !== undefined && before.prefix >= prefix)) {
      throw new Rejection(`the key shard "${prefix}" is out of place`)
    }
  }
  return verified
}

/**
 * A newer root document: signed by the root keys of the one in use and by its own, with a higher sequence
 * (as The Update Framework §5.3). Throws a Rejection.
 */
export function verifyRoot(text: string, current: RootDocument): Verified<RootDocument> {
  const envelope = parseEnvelope(text)
  const verified = openAs(envelope, RootDocument, 'root', current)
  openAs(envelope, RootDocument, 'root', verified.document)
  if (verified.document.organisationId !== current.organisationId) {
    throw new Rejection(`the root is of organisation ${verified.document.organisationId}`)
  }
  return verified
}

/**
 * Whether an offered document may follow the one in use: `same` is the one in use, again; `next` is newer, or goes
 * back on purpose. Throws a Rejection for everything else.
 */
export function checkOrder(
  offered: Verified<Numbered>,
  active: Verified<Numbered> | undefined,
): 'same' | 'next' {
  if (active === undefined || offered.document.sequence > active.document.sequence) return 'next'
  const { sequence } = active.document
  if (offered.document.sequence === sequence) {
    if (offered.digest === active.digest) return 'same'
    throw new Rejection(`another document already has the sequence ${sequence}`)
  }
  if (offered.document.rollbackOf === sequence) return 'next'
  throw new Rejection(
    `the sequence ${offered.document.sequence} is lower than the active ${sequence}, and it does not say that it rolls that back`,
  )
}

/** An offered document may not be past its time; one that is in use may. Throws a Rejection. */
export function checkExpiry(document: { readonly expiresMs: number }, nowMs: number): void {
  if (document.expiresMs <= nowMs) {
    throw new Rejection(`the document expired at ${new Date(document.expiresMs).toISOString()}`)
  }
}
