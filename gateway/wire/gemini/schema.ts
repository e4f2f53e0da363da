import { isObject, type JsonObject } from '../json-value.ts'

/** Members whose values are schemas by a caller's own names. */
const named = new Set(['properties', 'defs', '$defs'])
const single = new Set(['items', 'additionalProperties', 'not'])
const lists = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const counts = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])
const spellings: Readonly<Record<string, string>> = {
  any_of: 'anyOf',
  min_items: 'minItems',
  max_items: 'maxItems',
  min_length: 'minLength',
  max_length: 'maxLength',
  min_properties: 'minProperties',
  max_properties: 'maxProperties',
  property_ordering: 'propertyOrdering',
}

/**
 * Google's `Schema`, a dialect of OpenAPI 3.0, as JSON Schema: types in small letters, `nullable` as a type of its
 * own, counts that came as texts as numbers. The order of properties is only a wish and goes.
 */
export function schemaOfOpenApi(value: unknown): unknown {
  if (!isObject(value)) return value
  const schema: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const name = spellings[key] ?? key
    if (name !== 'nullable' && name !== 'propertyOrdering') schema[name] = memberOf(name, value[key])
  }
  if (value.nullable !== true) return schema
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'], ...withNull(schema) }
  return Array.isArray(schema.anyOf) ? { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] } : schema
}

function withNull({ enum: values }: JsonObject): object {
  return Array.isArray(values) ? { enum: [...values, null] } : {}
}

function memberOf(name: string, value: unknown): unknown {
  if (name === 'type' && typeof value === 'string') return value.toLowerCase()
  if (named.has(name) && isObject(value)) {
    return Object.fromEntries(Object.keys(value).map((key) => [key, schemaOfOpenApi(value[key])]))
  }
  if (single.has(name)) return schemaOfOpenApi(value)
  if (lists.has(name) && Array.isArray(value)) return value.map(schemaOfOpenApi)
  if (counts.has(name) && typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
  return value
}
