import { isObjectAt, type JsonMember, type JsonSpan, scanObject } from './json-scan.ts'

/** A change to one member: of the object itself, or of an object one level below. */
export interface JsonEdit {
  readonly path: readonly [string] | readonly [string, string]
  /** The new value as JSON text; undefined removes the member. */
  readonly value: string | undefined
}

interface Change {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Changes members of a JSON object in its received bytes; every byte that is not part of a changed member
 * stays. A member that is there is replaced where it stands (of duplicates the last one, which is the one
 * that counts), one that is not is added at the end, a removed one goes with its comma and all its
 * duplicates. Throws SyntaxError where the bytes are no object.
 */
export function spliceJson(bytes: Buffer, edits: readonly JsonEdit[]): Buffer {
  if (edits.length === 0) return bytes
  return applyChanges(bytes, collectChanges(bytes, scanObject(bytes), edits))
}

/**
 * The same for the body of a request that passes. Where a member stands twice, all but the last go: parsers differ in
 * which one they take, and the upstream must see no other model or limit than was decided on.
 */
export function spliceRequest(bytes: Buffer, edits: readonly JsonEdit[]): Buffer {
  const span = scanObject(bytes)
  const changes = [...collectChanges(bytes, span, edits), ...shadowed(span)]
  return changes.length === 0 ? bytes : applyChanges(bytes, changes)
}

function collectChanges(bytes: Buffer, span: JsonSpan, edits: readonly JsonEdit[]): Change[] {
  const own: (readonly [string, string | undefined])[] = []
  const nested = new Map<string, [string, string | undefined][]>()
  for (const { path, value } of edits) {
    const [name, inner] = path
    if (inner === undefined) own.push([name, value])
    else nested.set(name, [...(nested.get(name) ?? []), [inner, value]])
  }
  const changes: Change[] = []
  for (const [name, inner] of nested) {
    const member = lastOf(span, name)
    if (member !== undefined && isObjectAt(bytes, member.valueStart)) {
      changes.push(...changeMembers(scanObject(bytes, member.valueStart), inner))
    } else {
      const set = inner.filter(([, value]) => value !== undefined)
      if (set.length > 0) own.push([name, objectText(set)])
    }
  }
  return [...changes, ...changeMembers(span, own)]
}

/** Members that a later one of the same name hides. */
function shadowed({ members }: JsonSpan): Change[] {
  const last = new Map(members.map(({ name }, index) => [name, index]))
  if (last.size === members.length) return []
  return members.flatMap(({ name, keyStart }, index) => {
    const next = members[index + 1]
    return next === undefined || last.get(name) === index
      ? []
      : [{ start: keyStart, end: next.keyStart, text: '' }]
  })
}

function lastOf(span: JsonSpan, name: string): JsonMember | undefined {
  return span.members.findLast((member) => member.name === name)
}

function objectText(members: readonly (readonly [string, string | undefined])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
}

function changeMembers(span: JsonSpan, edits: readonly (readonly [string, string | undefined])[]): Change[] {
  const values = new Map(edits)
  const isRemoved = ({ name }: JsonMember) => values.has(name) && values.get(name) === undefined
  const changes = removals(span.members, isRemoved)
  let added = ''
  for (const [name, value] of values) {
    if (value === undefined) continue
    const member = lastOf(span, name)
    if (member === undefined) added += `,${JSON.stringify(name)}:${value}`
    else changes.push({ start: member.valueStart, end: member.valueEnd, text: value })
  }
  if (added !== '') {
    const lastKept = span.members.findLast((member) => !isRemoved(member))
    const at = lastKept?.valueEnd ?? span.bodyStart
    changes.push({ start: at, end: at, text: lastKept ? added : added.slice(1) })
  }
  return changes
}

function removals(members: readonly JsonMember[], isRemoved: (member: JsonMember) => boolean): Change[] {
  const changes: Change[] = []
  let lastKept: JsonMember | undefined
  for (const [index, member] of members.entries()) {
    if (!isRemoved(member)) {
      lastKept = member
      continue
    }
    const next = members[index + 1]
    const start = next === undefined ? (lastKept?.valueEnd ?? member.keyStart) : member.keyStart
    changes.push({ start, end: next?.keyStart ?? member.valueEnd, text: '' })
  }
  return changes
}

function applyChanges(bytes: Buffer, changes: readonly Change[]): Buffer {
  const sorted = [...changes].sort((a, b) => a.start - b.start || a.end - b.end)
  const parts: Buffer[] = []
  let at = 0
  for (const { start, end, text } of sorted) {
    if (start > at) parts.push(bytes.subarray(at, start))
    if (text !== '') parts.push(Buffer.from(text))
    at = Math.max(at, end)
  }
  parts.push(bytes.subarray(at))
  return Buffer.concat(parts)
}
