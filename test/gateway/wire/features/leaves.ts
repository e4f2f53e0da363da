import { namePath } from '../../../../gateway/wire/losses.ts'
import type { Json } from './feature-row.ts'

/** A value somewhere in a body: its path as callers name it, and how to get there. */
export interface Leaf {
  readonly path: string
  readonly keys: readonly (string | number)[]
}

/** All values of a body that hold no others, but for those that a base has in the same place. */
export function leavesOf(body: unknown, base: unknown, keys: readonly (string | number)[] = []): Leaf[] {
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0) {
    return JSON.stringify(body) === JSON.stringify(base) ? [] : [{ path: pathOf(keys), keys }]
  }
  const beside = typeof base === 'object' && base !== null ? (base as Json) : {}
  return Object.entries(body).flatMap(([key, value]) =>
    leavesOf(value, beside[key], [...keys, Array.isArray(body) ? Number(key) : key]),
  )
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '')
}

/** The body without a value; what held nothing else is left empty. */
export function without(body: Json, { keys }: Leaf): Json {
  return edited(body, keys, (holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else delete holder[key]
  })
}

/** The body with another value of the same kind in its place. */
export function changedAt(body: Json, { keys }: Leaf): Json {
  return edited(body, keys, (holder, key) => {
    const values = holder as Json
    values[key] = otherThan(values[key])
  })
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'string') return `${value}x`
  if (typeof value === 'number') return value < 1 ? value / 2 : value - 1
  if (typeof value === 'boolean') return !value
  return Array.isArray(value) ? ['x'] : { x: 1 }
}

function edited(body: Json, keys: Leaf['keys'], edit: (holder: Json, key: string) => void): Json {
  const copy = structuredClone(body)
  let holder: Json = copy
  for (const key of keys.slice(0, -1)) holder = holder[key] as Json
  edit(holder, String(keys.at(-1)))
  return copy
}

/**
 * Whether a loss is named: the value itself, something that holds it, or what holds it by its type or one of its
 * members, as `messages[].content[].input_audio`.
 */
export function isNamed(body: Json, { keys }: Leaf, dropped: readonly string[]): boolean {
  let holder: unknown = body
  for (let depth = 0; depth <= keys.length; depth++) {
    const path = namePath(pathOf(keys.slice(0, depth)))
    const type = (holder as Json | null)?.type
    const members = typeof holder === 'object' && holder !== null ? Object.keys(holder) : []
    const names = [path, `${path}.${String(type)}`, ...members.map((member) => `${path}.${member}`)]
    const isWhole = depth === keys.length
    if (
      dropped.some((each) => (isWhole ? each === path : each === path || (depth > 1 && names.includes(each))))
    )
      return true
    holder = (holder as Json | null)?.[String(keys[depth])]
  }
  return false
}
