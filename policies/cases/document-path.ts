import { PlanNodeDefinition } from '@signalbox/sdk/contract'

/** What a JSON schema has to have for a path to be followed through it. */
interface PathSchema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, PathSchema>>
  readonly patternProperties?: Readonly<Record<string, PathSchema>>
  readonly items?: PathSchema
  readonly anyOf?: readonly PathSchema[]
}

/** `plan.of[0].target` and `plan.of.0.target` → its keys. Undefined for what is no path. */
export function parsePath(path: string): string[] | undefined {
  const keys = path.replace(/\[(\d+)\]/g, '.$1').split('.')
  return keys.every((key) => /^[A-Za-z0-9_$-]+$/.test(key)) ? keys : undefined
}

function schemasUnder(schema: PathSchema, key: string): PathSchema[] {
  if (schema.$ref === 'PlanNode') return schemasUnder(PlanNodeDefinition as PathSchema, key)
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((each) => schemasUnder(each, key))
  if (schema.items !== undefined) return /^\d+$/.test(key) ? [schema.items] : []
  const own = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined
  if (own !== undefined) return [own]
  const patterns = Object.entries(schema.patternProperties ?? {})
  return patterns.flatMap(([pattern, each]) => (new RegExp(pattern).test(key) ? [each] : []))
}

/** Whether documents of a schema can have something at a path. */
export function isPathOf(schema: object, keys: readonly string[]): boolean {
  let schemas: PathSchema[] = [schema as PathSchema]
  for (const key of keys) schemas = schemas.flatMap((each) => schemasUnder(each, key))
  return schemas.length > 0
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(document: unknown, keys: readonly string[]): unknown {
  let value = document
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** Puts a value at a path, and the objects and lists on the way where there are none. `null` removes. */
export function putAt(document: object, keys: readonly string[], value: unknown): void {
  let place = document as Record<string, unknown>
  for (const [index, key] of keys.slice(0, -1).entries()) {
    const next = Object.hasOwn(place, key) ? place[key] : undefined
    if (typeof next !== 'object' || next === null) place[key] = /^\d+$/.test(keys[index + 1] ?? '') ? [] : {}
    place = place[key] as Record<string, unknown>
  }
  const last = keys.at(-1)
  if (last === undefined) return
  if (value === null) delete place[last]
  else place[last] = value
}
