import type { RootDocument } from '../contract/documents.ts'
import { countSignatures, type SigningKey, signText } from './envelope.ts'

/** What a key of role `author` said of a version. */
export interface AuthorSignature {
  readonly keyId: string
  readonly sig: string
}

/** The text that authors sign: a version by its digest, which is over all that is in it. */
function statementOf(digest: string): string {
  return `signalbox author/1 ${digest}`
}

/** Signs a version. */
export function signVersion(digest: string, key: SigningKey): AuthorSignature {
  return { keyId: key.keyId, sig: signText(statementOf(digest), key) }
}

/** How many different authors of `root` have signed a version. */
export function countAuthors(
  digest: string,
  signatures: readonly AuthorSignature[],
  root: RootDocument,
): number {
  const named = signatures.map((signature) => ({ role: 'author' as const, ...signature }))
  return countSignatures({ payload: statementOf(digest), signatures: named }, 'author', root)
}

/** How many authors must have signed what an environment runs; 0 where none must. */
export function authorsWanted(root: RootDocument, environment: string): number {
  return root.authorsIn?.includes(environment) === true ? (root.roles.author?.threshold ?? 1) : 0
}
