import { isObject, type JsonObject } from '../json-value.ts'

/** A schema is adapted this deep; deeper parts stay as they are. */
const depthMax = 64
/** Constraints that Anthropic's structured outputs do not enforce and refuse. */
const unsupported = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
]
/** Members that hold schemas by name, and members that hold a schema or a list of them. */
const namedSchemas = new Set(['properties', '$defs', 'definitions'])
const innerSchemas = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'not'])

/**
 * A schema as Anthropic's structured outputs take it, the way its own SDK does: objects are closed, and
 * constraints that are not enforced move into the description, where the model reads them. `lost` says that
 * there were some. Source: Anthropic, structured outputs, JSON Schema limitations.
 */
export function adaptSchema(schema: unknown): { readonly schema: unknown; readonly lost: boolean } {
  const state = { lost: false }
  return { schema: adapt(schema, state, 0), lost: state.lost }
}

function adapt(schema: unknown, state: { lost: boolean }, depth: number): unknown {
  if (Array.isArray(schema)) return schema.map((item) => adapt(item, state, depth + 1))
  if (!isObject(schema) || depth > depthMax) return schema
  const adapted: Record<string, unknown> = {}
  const moved: string[] = []
  for (const [name, value] of Object.entries(schema)) {
    if (unsupported.includes(name) || (name === 'minItems' && Number(value) > 1)) {
      if (!isHarmless(name, value)) moved.push(`${name}: ${JSON.stringify(value)}`)
    } else if (namedSchemas.has(name) && isObject(value)) adapted[name] = adaptNamed(value, state, depth)
    else if (innerSchemas.has(name)) adapted[name] = adapt(value, state, depth + 1)
    else adapted[name] = value
  }
  const isOpen = adapted.additionalProperties === undefined || adapted.additionalProperties === true
  if ((adapted.type === 'object' || adapted.properties !== undefined) && isOpen) {
    // What is open because nothing was said is closed as the SDK does it; what is open by its word is a loss.
    if (adapted.additionalProperties === true) state.lost = true
    adapted.additionalProperties = false
  }
  if (moved.length > 0) {
    state.lost = true
    const notes = `(${moved.join(', ')})`
    adapted.description = typeof adapted.description === 'string' ? `${adapted.description} ${notes}` : notes
  }
  return adapted
}

/** The limits of safe integers, which schema libraries write for every integer, limit nothing. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === 'minimum') return value === Number.MIN_SAFE_INTEGER
  return name === 'maximum' && value === Number.MAX_SAFE_INTEGER
}

function adaptNamed(schemas: JsonObject, state: { lost: boolean }, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, adapt(schema, state, depth + 1)]),
  )
}
