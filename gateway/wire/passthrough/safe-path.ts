import { Refusal } from '@signalbox/sdk/contract'

const pathLengthMax = 4096
/** A path that is decoded more often than this by anybody on the way is not one that a client sends. */
const decodingsMax = 3
const prefix = /^\/passthrough\/([a-z0-9][a-z0-9._-]{0,62})(\/[^?#]*)?(?:\?([^#]*))?$/is
/** Anything but printable ASCII, and the backslash, which some read as a slash. */
const unsafe = /[^!-[\]-~]/

/** What a passthrough asks for, and of whom. */
export interface PassthroughPath {
  readonly connection: string
  /** Below the connection's base URL, as it was written. */
  readonly path: string
  /** With its question mark; empty where there is none. */
  readonly search: string
}

function refuse(message: string): never {
  throw new Refusal('invalid_request', { message, param: 'path' })
}

/** Control characters, and the backslash, however they are written. */
function leadsAstray(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 32 || code === 127 || text[at] === '\\') return true
  }
  return false
}

/** Whether a path, however often it is decoded, stays below where it begins. */
function staysBelow(path: string): boolean {
  if (unsafe.test(path)) return false
  let text = path
  for (let times = 0; times < decodingsMax; times++) {
    if (leadsAstray(text)) return false
    const parts = text.split('/').slice(1)
    if (
      parts.some((part, index) => part === '.' || part === '..' || (part === '' && index < parts.length - 1))
    ) {
      return false
    }
    if (/;/.test(text) && parts.some((part) => /^\.{1,2};/.test(part))) return false
    let decoded: string
    try {
      decoded = decodeURIComponent(text)
    } catch {
      return false
    }
    if (decoded === text) return true
    text = decoded
  }
  return false
}

/**
 * Reads the URL of a passthrough. The path goes to the upstream as it was written, so it must be one that nobody can
 * read as leading elsewhere. A key in the query ends here.
 * @throws Refusal `invalid_request`.
 */
export function readPassthroughPath(url: string): PassthroughPath {
  if (url.length > pathLengthMax) refuse(`The URL is longer than ${pathLengthMax} characters.`)
  const [, connection, path = '', search = ''] = prefix.exec(url) ?? []
  if (connection === undefined) refuse('The path must be /passthrough/CONNECTION/….')
  if (path !== '' && !staysBelow(path)) refuse('The path must lead below the base URL of the connection.')
  const kept = search.split('&').filter((pair) => pair !== '' && !/^key(?:=|$)/i.test(decoded(pair)))
  if (kept.some((pair) => unsafe.test(pair))) refuse('The query is not a valid one.')
  return { connection, path, search: kept.length === 0 ? '' : `?${kept.join('&')}` }
}

function decoded(pair: string): string {
  try {
    return decodeURIComponent(pair.replaceAll('+', ' '))
  } catch {
    return refuse('The query is not a valid one.')
  }
}
