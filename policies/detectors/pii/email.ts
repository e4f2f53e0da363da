import type { Match } from '../detector.ts'

// RFC 5321: 64 characters before the @, 255 after it. Parts in quotes, letters beyond ASCII and rare signs are not
// looked for: they are hardly ever part of an address, and often stand beside one.
const localMax = 64
const domainMax = 255
/** The URL that a part of may only look like an address: `postgres://user:word@host`. */
const urlMax = 128
export const emailLookBehind = localMax + 1 + domainMax + urlMax

const localCharacter = /[A-Za-z0-9._%+'~-]/
const domain = /(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9_])/y
/** Last parts that are names of files: `icon@2x.png`. */
const fileEnding =
  /\.(?:png|jpe?g|gif|svg|webp|ico|m?js|tsx?|s?css|json|html?|py|rb|sh|zip|gz|so|conf|service)$/i

function localStart(text: string, at: number): number {
  let start = at
  while (start > 0 && at - start < localMax && localCharacter.test(text[start - 1] ?? '')) start--
  // Quotes around an address are allowed in it by the letter, and never meant.
  while (text[start] === "'" || text[start] === '~' || text[start] === '-') start++
  return start
}

/** Whether what stands before is the start of a URL, so that the @ ends its user and password. */
function isInUrl(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - urlMax), start)
  const scheme = before.lastIndexOf('://')
  return scheme !== -1 && !/[\s"'<>?]/.test(before.slice(scheme))
}

/** The e-mail address around an @. */
export function findEmail(text: string, at: number): Match<'email'> | undefined {
  const start = localStart(text, at)
  const local = text.slice(start, at)
  if (local === '' || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return undefined
  domain.lastIndex = at + 1
  const [found] = domain.exec(text) ?? []
  if (found === undefined || found.length > domainMax || fileEnding.test(found)) return undefined
  const end = at + 1 + found.length
  // `git@github.com:owner/name` is the address of a repository.
  if (text[end] === ':' && local === 'git') return undefined
  return isInUrl(text, start) ? undefined : { kind: 'email', start, end }
}
