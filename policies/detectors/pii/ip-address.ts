import {
  alphanumeric,
  classAt,
  contextChars,
  digit,
  endAt,
  isAfter,
  isAt,
  letter,
  word,
} from '../characters.ts'
import type { Match } from '../detector.ts'
import type { NumberForm } from './number-form.ts'

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const v4 = new RegExp(`${octet}(?:\\.${octet}){3}`, 'y')
/** Words before four numbers that are something else. */
const version =
  /(?:\b(?:v|ver|version|release|build|firmware|driver|section|chapter|clause|oid)\.? ?:? ?|[§v])$/i

/** Whether an address is of the open internet: no private, loopback, link-local, shared, multicast or unused one. */
function isPublic(address: string): boolean {
  const [a = 0, b = 0] = address.split('.').map(Number)
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false
  if ((a === 169 && b === 254) || (a === 192 && b === 168)) return false
  return !((a === 172 && b >= 16 && b < 32) || (a === 100 && b >= 64 && b < 128))
}

const v6Max = 45
/** Addresses of the open internet: whose they are can be found out. Versions and private networks are not. */
export const ipAddress: NumberForm = {
  kind: 'ipAddress',
  lookBehind: v6Max + contextChars,
  find({ text, start, digits, lettersBefore }) {
    if (digits > 3 || lettersBefore > 0 || text[start + digits] !== '.') return undefined
    const end = endAt(v4, text, start)
    if (end === -1 || isAt(text, end, word) || isAt(text, start - 1, word)) return undefined
    if (text[end] === '.' && isAt(text, end + 1, digit)) return undefined
    const before = text[start - 1]
    if (before === '.' || (before === '-' && isAt(text, start - 2, word))) return undefined
    if (text[end] === '-' && isAt(text, end + 1, letter)) return undefined
    if (!isPublic(text.slice(start, end)) || isAfter(text, start, version)) return undefined
    return { kind: 'ipAddress', start, end }
  },
}

const isV6Character = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index)
  return (
    code === 58 || (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)
  )
}

/** Eight groups of up to four hex digits, or fewer with one `::`. */
function isV6(address: string): boolean {
  const halves = address.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length >= 2 && groups.length <= 7 : groups.length === 8
}

/**
 * The IPv6 address that the colon at `index` is in. Only global ones (2000::/3). `until` is where the run of its
 * characters ends, so that the next colons of it need no look.
 */
export function findIpv6(text: string, index: number): { match?: Match<'ipAddress'>; until: number } {
  let start = index
  while (start > 0 && index - start < 5 && isV6Character(text, start - 1)) start--
  let end = index
  while (end - start <= v6Max && isV6Character(text, end)) end++
  const until = end
  // The colon of a sentence is no part of it.
  if (text[end - 1] === ':' && text[end - 2] !== ':') end--
  const isAlone = (classAt(text, start - 1) & alphanumeric) === 0 && !isAt(text, end, word)
  const address = text.slice(start, end)
  if (!isAlone || end - start > v6Max || !/^[23]/.test(address) || !isV6(address)) return { until }
  return /^[0-9A-Fa-f]{4}:/.test(address) ? { match: { kind: 'ipAddress', start, end }, until } : { until }
}
