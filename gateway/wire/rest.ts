import type { JsonObject } from './json-value.ts'

/** Keeps the members that a decoder has no field for, by path, so that none is lost without a name. */
export function keepRest(
  object: JsonObject,
  known: ReadonlySet<string>,
  parent: string,
  extra: Map<string, unknown>,
): void {
  for (const name of Object.keys(object)) {
    if (known.has(name)) continue
    const value = object[name]
    if (value === null || value === undefined) continue
    extra.set(parent === '' ? name : `${parent}.${name}`, value)
  }
}
