import type { Match } from '../detector.ts'
import { isPlaceholder } from './randomness.ts'

const userMax = 128
const passwordMax = 256
const schemeMax = 24
const hostMax = 128
export const connectionStringMax = schemeMax + 3 + userMax + 1 + passwordMax + 1 + hostMax

const scheme = /[A-Za-z][A-Za-z0-9+.-]{0,23}$/
const credentials =
  /:\/\/([^\s:@/"'<>`?#]{0,128}):([^\s@/"'<>`]{1,256})@([A-Za-z0-9[][A-Za-z0-9.:\]_-]{0,127})/y
/** What stands there instead of a password. */
const variable = /^(?:\$|\{|%|\[|<|pass(?:word|wd)?$|pwd$|secret$|user$|x{3}|\*)/i

/** A URL with a password, whose `://` begins at an index. */
export function findConnectionString(text: string, index: number): Match<'connectionString'> | undefined {
  credentials.lastIndex = index
  const [whole, , password] = credentials.exec(text) ?? []
  if (whole === undefined || password === undefined) return undefined
  const [name] = scheme.exec(text.slice(Math.max(0, index - schemeMax), index)) ?? []
  if (name === undefined || variable.test(password) || isPlaceholder(password)) return undefined
  return { kind: 'connectionString', start: index - name.length, end: index + whole.length }
}
