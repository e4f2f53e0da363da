import { asObject, type JsonObject } from '../json-value.ts'

const underscored = /_([a-z0-9])/g

/**
 * The members of an object by their camelCase names: Google's servers take `system_instruction` and
 * `systemInstruction` for the same. Only the object itself is read so; what its members hold may be a caller's own.
 */
export function readFields(value: unknown): JsonObject | undefined {
  const object = asObject(value)
  if (object === undefined) return undefined
  const names = Object.keys(object)
  if (!names.some((name) => name.includes('_', 1))) return object
  const entries = names.map((name): [string, unknown] => [camelName(name), object[name]])
  const camel = names.flatMap((name): [string, unknown][] =>
    name.includes('_', 1) ? [] : [[name, object[name]]],
  )
  return Object.fromEntries([...entries, ...camel])
}

function camelName(name: string): string {
  return name.charAt(0) + name.slice(1).replace(underscored, (_all, letter: string) => letter.toUpperCase())
}

/** The name that a member has in an object: in camelCase unless it stands there in snake_case. */
export function spellingOf(name: string, object: JsonObject): string {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return object[name] === undefined && object[snake] !== undefined ? snake : name
}

/** A list, or the one thing that stands in place of it, which Google's servers take too. */
export function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return asObject(value) === undefined ? [] : [value]
}
