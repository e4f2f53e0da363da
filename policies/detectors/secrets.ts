import { type DetectorKind, detectorKinds } from '@signalbox/sdk/contract'
import { endAt, isAt, word } from './characters.ts'
import { type Detector, findingsMax, type Match } from './detector.ts'
import { assignmentMax, findAssignment, secretNames } from './secrets/assignment.ts'
import { connectionStringMax, findConnectionString } from './secrets/connection-string.ts'
import { findJwt, jwtLengthMax } from './secrets/json-web-token.ts'
import { findPrivateKey, privateKeyMax } from './secrets/private-key.ts'
import { isRandom } from './secrets/randomness.ts'
import { type KeyForm, keyForms, keyLengthMax } from './secrets/vendor-keys.ts'

type SecretMatch = Match<DetectorKind<'secrets'>>

const formsByPrefix = new Map<string, readonly KeyForm[]>()
for (const form of keyForms) {
  formsByPrefix.set(form.prefix, [...(formsByPrefix.get(form.prefix) ?? []), form])
}
/** Beginnings of everything but assignments. */
const beginnings: readonly string[] = ['-----BEGIN ', 'eyJ', '://', ...formsByPrefix.keys()]
/**
 * They are found by their last characters, which are rarer than their first ones: by code of the last, the longest
 * first.
 */
const byLast = new Map<number, string[]>()
for (const each of [...beginnings].sort((x, y) => y.length - x.length)) {
  const code = each.charCodeAt(each.length - 1)
  byLast.set(code, [...(byLast.get(code) ?? []), each])
}
const lasts = new Uint8Array(0x10000)
for (const code of byLast.keys()) lasts[code] = 1

/** Whether a key can begin here: not within a longer word, an escaped line break apart. */
function canBegin(text: string, index: number): boolean {
  if (!isAt(text, index - 1, word) && text[index - 1] !== '-') return true
  return text[index - 2] === '\\' && /[nrt]/.test(text[index - 1] ?? '')
}

function findKey(text: string, start: number, prefix: string): SecretMatch | undefined {
  for (const { kind, form, scheme } of formsByPrefix.get(prefix) ?? []) {
    const end = endAt(form, text, start)
    if (end === -1 || !isRandom(text.slice(start + prefix.length, end))) continue
    return { kind, start, end, ...(scheme !== undefined && { scheme }) }
  }
  return undefined
}

/** A match, and from where to go on where there is none. */
interface Found {
  readonly match?: SecretMatch | undefined
  readonly until: number
}

function findAt(text: string, index: number, beginning: string): Found {
  if (beginning === '://') return { match: findConnectionString(text, index), until: index + 3 }
  if (!canBegin(text, index) && beginning !== '-----BEGIN ') return { until: index + beginning.length }
  if (beginning === 'eyJ') return findJwt(text, index)
  if (beginning === '-----BEGIN ') return findPrivateKey(text, index)
  return { match: findKey(text, index, beginning), until: index }
}

function findFormed(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  for (let index = 2, from = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (lasts[code] !== 1) continue
    const end = index + 1
    const beginning = byLast.get(code)?.find((each) => text.startsWith(each, end - each.length))
    if (beginning === undefined || end - beginning.length < from) continue
    const { match, until } = findAt(text, end - beginning.length, beginning)
    if (match !== undefined) found.push(match)
    if (found.length >= findingsMax) break
    from = Math.max(match?.end ?? until, from)
    if (from > end) index = from - 1
  }
  return found
}

function findAssigned(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  const lower = text.toLowerCase()
  // Where small letters are longer than capitals (in hardly any text), indexes would not fit.
  const searched = lower.length === text.length ? lower : text
  secretNames.lastIndex = 0
  for (let hit = secretNames.exec(searched); hit !== null; hit = secretNames.exec(searched)) {
    const match = findAssignment(text, { start: hit.index, end: secretNames.lastIndex })
    if (match === undefined) continue
    found.push(match)
    if (found.length >= findingsMax) break
    secretNames.lastIndex = match.end
  }
  return found
}

/** Both lists by start; where two overlap, what has a known form stays. */
function merge(formed: readonly SecretMatch[], assigned: readonly SecretMatch[]): SecretMatch[] {
  const merged = [...formed]
  let index = 0
  for (const each of assigned) {
    while (index < formed.length && (formed[index]?.end ?? 0) <= each.start) index++
    const next = formed[index]
    if (next === undefined || next.start >= each.end) merged.push(each)
  }
  return merged.sort((a, b) => a.start - b.start).slice(0, findingsMax)
}

const own: Partial<Record<DetectorKind<'secrets'>, number>> = {
  assignment: assignmentMax,
  connectionString: connectionStringMax,
  jwt: jwtLengthMax,
  privateKey: privateKeyMax,
}

/** Keys and passwords. */
export const secrets: Detector<'secrets'> = {
  id: 'secrets',
  kinds: detectorKinds.secrets,
  lookBehind: Object.fromEntries(
    detectorKinds.secrets.map((kind) => [kind, own[kind] ?? (kind === 'aws' ? assignmentMax : keyLengthMax)]),
  ) as Record<DetectorKind<'secrets'>, number>,
  scan: (text) => ({ findings: merge(findFormed(text), findAssigned(text)) }),
}
