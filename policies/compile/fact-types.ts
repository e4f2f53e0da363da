import { didYouMean, nearestName } from './near-name.ts'

/** The part of JSON Schema that facts are described in. */
export interface FactSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly FactSchema[]
  readonly properties?: Readonly<Record<string, FactSchema>>
  readonly patternProperties?: Readonly<Record<string, FactSchema>>
  readonly required?: readonly string[]
  readonly items?: FactSchema
}

export type ValueKind = 'string' | 'number' | 'boolean' | 'null' | 'list' | 'object'
/** What an expression can come to. */
export interface ValueType {
  readonly kinds: ReadonlySet<ValueKind>
  /** All values it can have, where they are few. */
  readonly values?: readonly unknown[]
  /** Of the members of a list. */
  readonly items?: ValueType
}
export interface Fact extends ValueType {
  /** Parts of the path, from the root, that a call may lack: `budget.tightest`. */
  readonly optional: readonly string[]
}

const kindOfSchemaType: Readonly<Record<string, ValueKind>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
  array: 'list',
  object: 'object',
}

export function kindOfValue(value: unknown): ValueKind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  return kindOfSchemaType[typeof value] ?? 'object'
}

/** The type of a value that a schema describes. */
export function typeOfSchema(schema: FactSchema): ValueType {
  const values = schema.const === undefined ? schema.enum : [schema.const]
  if (values !== undefined) return { kinds: new Set(values.map(kindOfValue)), values }
  if (schema.anyOf !== undefined) {
    return { kinds: new Set(schema.anyOf.flatMap((each) => [...typeOfSchema(each).kinds])) }
  }
  const types = schema.type === undefined ? Object.keys(kindOfSchemaType) : [schema.type].flat()
  const kinds = new Set(types.flatMap((type) => kindOfSchemaType[type] ?? []))
  return schema.items === undefined ? { kinds } : { kinds, items: typeOfSchema(schema.items) }
}

export const isKnownFact = (fact: Fact | UnknownFact): fact is Fact => !('unknown' in fact)
export interface UnknownFact {
  readonly unknown: string
}

/** A member of an object in the facts; `open` objects have any member. */
export function memberOf(
  schema: FactSchema,
  name: string,
): { readonly schema: FactSchema; readonly optional: boolean } | undefined {
  const property = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined
  if (property !== undefined) {
    return { schema: property, optional: schema.required?.includes(name) !== true }
  }
  const [open] = Object.values(schema.patternProperties ?? {})
  return open === undefined ? undefined : { schema: open, optional: true }
}

/** Whether a value has members that a path can go on to. */
export function hasMembers(schema: FactSchema): boolean {
  return schema.properties !== undefined || schema.patternProperties !== undefined
}

/** What is known of the fact at a path, or what to tell the author. */
export function lookUpFact(root: FactSchema, path: string): Fact | UnknownFact {
  const parts = path.split('.')
  const optional: string[] = []
  let schema = root
  for (const [index, name] of parts.entries()) {
    const member = memberOf(schema, name)
    if (member === undefined) return { unknown: unknownMember(schema, parts, index) }
    if (member.optional) optional.push(parts.slice(0, index + 1).join('.'))
    schema = member.schema
  }
  return { ...typeOfSchema(schema), optional }
}

function unknownMember(schema: FactSchema, parts: readonly string[], index: number): string {
  const path = parts.join('.')
  const before = parts.slice(0, index)
  if (before.join('.') === 'request.metadata' || before.join('.') === 'metadata') {
    const declared = Object.keys(schema.properties ?? {})
    const list = declared.length === 0 ? 'nothing' : declared.join(', ')
    const hint = didYouMean(parts[index] ?? '', declared) || `; it declares ${list}`
    return `unknown fact "${path}": "metadata" of signalbox.yaml does not declare "${parts[index]}"${hint}`
  }
  if (!hasMembers(schema)) return `unknown fact "${path}": "${before.join('.')}" has no members`
  const known = Object.keys(schema.properties ?? {})
  const near = nearestName(parts[index] ?? '', known)
  if (near !== undefined) {
    const meant = [...before, near, ...parts.slice(index + 1)].join('.')
    return `unknown fact "${path}"; did you mean "${meant}"?`
  }
  return `unknown fact "${path}"; "${before.join('.') || 'facts'}" has ${known.join(', ')}`
}
