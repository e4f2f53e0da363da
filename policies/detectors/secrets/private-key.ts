import type { Match } from '../detector.ts'

/** Characters of a block that is taken as a whole; of a longer one the start is named. */
export const privateKeyMax = 16_384
const opening = /-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED|PGP) )?PRIVATE KEY(?: BLOCK)?-----/y
const closing = '-----END '
const lineMax = 40
/** Fewer characters between the lines are a sample: `-----BEGIN PRIVATE KEY-----\n...`. */
const bodyMin = 48
const body = /[\sA-Za-z0-9+/=\\:,.()-]{0,80}/y

/** A private key in PEM, OpenSSH or PGP armour; one that is cut off before its end counts too. */
export function findPrivateKey(text: string, start: number): { match?: Match<'privateKey'>; until: number } {
  opening.lastIndex = start
  if (!opening.test(text)) return { until: start + 1 }
  const from = opening.lastIndex
  body.lastIndex = from
  body.test(text)
  const bodyEnd = body.lastIndex
  const block = text.slice(from, start + privateKeyMax)
  const close = block.indexOf(closing)
  const end = close === -1 ? Math.min(text.length, start + privateKeyMax) : closingEnd(text, from + close)
  if (Math.min(bodyEnd, close === -1 ? bodyEnd : from + close) - from < bodyMin) return { until: from }
  return { match: { kind: 'privateKey', start, end }, until: end }
}

function closingEnd(text: string, start: number): number {
  const rest = text.slice(start + closing.length, start + closing.length + lineMax)
  const dashes = rest.indexOf('-----')
  // A last line that is cut off is of the key as far as it goes.
  const length = dashes === -1 ? (/^[A-Z ]*-*/.exec(rest)?.[0].length ?? 0) : dashes + 5
  return start + closing.length + length
}
