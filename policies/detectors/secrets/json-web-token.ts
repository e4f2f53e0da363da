import type { Match } from '../detector.ts'

/** Longer tokens are not followed to their end. */
export const jwtLengthMax = 8192
const part = /[A-Za-z0-9_-]{8,4096}/y
const signature = /[A-Za-z0-9_-]{0,2048}/y

function partEnd(form: RegExp, text: string, start: number): number {
  form.lastIndex = start
  return form.test(text) ? form.lastIndex : -1
}

/** A header is JSON that names an algorithm (RFC 7515). */
function isHeader(part64: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part64.slice(0, 1024), 'base64url').toString('latin1'))
    return typeof header === 'object' && header !== null && ('alg' in header || 'enc' in header)
  } catch {
    return false
  }
}

/** A JSON Web Token that starts at an index; `until` is where its characters end, token or not. */
export function findJwt(text: string, start: number): { match?: Match<'jwt'>; until: number } {
  const headerEnd = partEnd(part, text, start)
  if (headerEnd === -1) return { until: start + 3 }
  if (text[headerEnd] !== '.') return { until: headerEnd }
  const claimsEnd = partEnd(part, text, headerEnd + 1)
  if (claimsEnd === -1 || text[claimsEnd] !== '.') return { until: headerEnd }
  if (!isHeader(text.slice(start, headerEnd))) return { until: claimsEnd }
  const end = partEnd(signature, text, claimsEnd + 1)
  return { match: { kind: 'jwt', start, end }, until: end }
}
