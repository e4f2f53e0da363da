import {
  type BodyOf,
  type Envelope,
  Refusal,
  RootDocument,
  type trustOperations,
} from '@signalbox/sdk/contract'
import {
  countSignatures,
  createSigningKey,
  fits,
  keyIdOf,
  type SigningKey,
  signDocument,
} from '@signalbox/sdk/node'

export type TrustChange = BodyOf<typeof trustOperations.changeTrust>
type Role = keyof RootDocument['roles']

function refuse(message: string): Refusal {
  return new Refusal('invalid_request', { message })
}

/** A key may stand in several roles; one that stands in none goes. */
function keysInUse(root: RootDocument): RootDocument {
  const used = new Set(Object.values(root.roles).flatMap(({ keyIds }) => keyIds))
  return { ...root, keys: Object.fromEntries(Object.entries(root.keys).filter(([id]) => used.has(id))) }
}

/** @throws Refusal for a document that nobody could satisfy. */
function checkRoot(root: RootDocument, heldRelease: ReadonlySet<string>): void {
  for (const role of ['root', 'release', 'author'] as const) {
    const { threshold, keyIds } = root.roles[role]
    const isIdle = role === 'author' && (root.authorsIn ?? []).length === 0
    if (keyIds.length < threshold && !isIdle) {
      throw refuse(`The role ${role} would have ${keyIds.length} keys, and wants ${threshold} signatures.`)
    }
  }
  const signing = root.roles.release.keyIds.filter((id) => heldRelease.has(id))
  if (signing.length < root.roles.release.threshold) {
    throw refuse('The control plane could sign no release: it holds too few of the keys of that role.')
  }
}

/**
 * The next root document. Keys of `rotate` are made here; those that are added come from elsewhere, with their private
 * parts kept there.
 * @throws Refusal for a change that leaves a role without enough keys.
 */
export function nextRoot(
  root: RootDocument,
  change: TrustChange,
  heldRelease: ReadonlySet<string>,
): { readonly next: RootDocument; readonly made: readonly { role: 'root' | 'release'; key: SigningKey }[] } {
  const made = (change.rotate ?? []).map((role) => ({ role, key: createSigningKey() }))
  const next = structuredClone(root)
  next.sequence = root.sequence + 1
  const add = (role: Role, publicKey: string): void => {
    const id = keyIdOf(publicKey)
    next.keys[id] = { algorithm: 'ed25519', publicKey }
    if (!next.roles[role].keyIds.includes(id)) next.roles[role].keyIds.push(id)
  }
  for (const { role, key } of made) {
    // Root keys that are held elsewhere stay: they are not ours to replace.
    next.roles[role].keyIds = next.roles[role].keyIds.filter((id) => !heldRelease.has(id))
    add(role, key.publicKey)
  }
  for (const { role, publicKey } of change.add ?? []) add(role, publicKey)
  for (const id of change.remove ?? []) {
    if (next.keys[id] === undefined) throw refuse(`There is no key ${id}.`)
    for (const role of Object.values(next.roles)) role.keyIds = role.keyIds.filter((each) => each !== id)
  }
  for (const role of ['root', 'release', 'author'] as const) {
    next.roles[role].threshold = change.thresholds?.[role] ?? next.roles[role].threshold
  }
  if (change.authorsIn !== undefined) next.authorsIn = [...change.authorsIn]
  const signers = new Set([...heldRelease, ...made.map(({ key }) => key.keyId)])
  const tidy = keysInUse(next)
  checkRoot(tidy, signers)
  return { next: tidy, made }
}

/** Signatures of root keys that a document still wants: of those in use, and of its own. */
export function missingSignatures(
  envelope: Envelope,
  current: RootDocument,
  next: RootDocument,
): { before: number; after: number } {
  const missing = (root: RootDocument): number =>
    Math.max(0, root.roles.root.threshold - countSignatures(envelope, 'root', root))
  return { before: missing(current), after: missing(next) }
}

/** Signs a root document with these keys, once each. */
export function signRoot(next: RootDocument, keys: readonly SigningKey[]): Envelope {
  return signDocument(next, 'root', [...new Map(keys.map((key) => [key.keyId, key])).values()])
}

/**
 * The document in an envelope that was signed elsewhere.
 * @throws Refusal where it is no root document, or does not follow the one in use.
 */
export function readRoot(envelope: Envelope, current: RootDocument, held: ReadonlySet<string>): RootDocument {
  let value: unknown
  try {
    value = JSON.parse(envelope.payload)
  } catch {
    throw refuse('The payload is not JSON.')
  }
  if (!fits(RootDocument, value)) throw refuse('The payload is no root document.')
  if (value.organisationId !== current.organisationId) throw refuse('The root is of another organisation.')
  if (value.sequence !== current.sequence + 1) {
    throw new Refusal('conflict', {
      message: `The root has the sequence ${value.sequence}; the next one is ${current.sequence + 1}.`,
    })
  }
  checkRoot(value, held)
  return value
}
