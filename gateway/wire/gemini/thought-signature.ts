import type { Block } from '../../call.ts'
import { openReasoningSeal, type ReasoningSeal, sealReasoning } from '../reasoning-origin.ts'

/** Start of our seal in base64: Google's clients take a signature for bytes. */
export const sealedStart = 'c2lnbmFsYm94L'

/** What Google takes in place of the signature of a call that another model made. Source: thought signatures page. */
export const skippedSignature = 'skip_thought_signature_validator'
const skipped = new Set([skippedSignature, 'context_engineering_is_the_way_to_go'])

type Proof = Parameters<typeof sealReasoning>[0]

/** The proof of another provider's thinking, to stand as a `thoughtSignature`. */
export function sealSignature(proof: Proof): string | undefined {
  const seal = sealReasoning(proof)
  return seal === undefined ? undefined : Buffer.from(seal).toString('base64')
}

/** What was sealed, or undefined where the signature is Google's own. */
export function openSignature(signature: string): ReasoningSeal | undefined {
  if (!signature.startsWith(sealedStart)) return undefined
  return openReasoningSeal(Buffer.from(signature, 'base64').toString('utf8'))
}

/**
 * The block of a signature that stands on a part which is no thought. It is thinking without a text, whose `encrypted`
 * belongs to the part that follows; undefined where it says nothing.
 */
export function signatureBlock(signature: string, path: string): Block | undefined {
  if (skipped.has(signature)) return undefined
  const seal = openSignature(signature)
  const place = `${path}.thoughtSignature`
  if (seal !== undefined) return { type: 'reasoning', ...seal, path: place }
  return { type: 'reasoning', encrypted: signature, origin: 'gemini', path: place }
}
