type Schema = Readonly<Record<string, unknown>>

/** Deeper than this an instance is cut off, so that a schema that contains itself comes to an end. */
const depthMax = 24
const textByFormat: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  'date-time': '2026-01-01T00:00:00Z',
  time: '00:00:00Z',
  email: 'someone@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '192.0.2.1',
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const numberAt = (schema: Schema, name: string): number | undefined => {
  const value = schema[name]
  return typeof value === 'number' ? value : undefined
}

/** A schema behind `#/$defs/name`. */
function resolve(schema: Schema, root: Schema): Schema {
  const reference = schema.$ref
  if (typeof reference !== 'string' || !reference.startsWith('#')) return schema
  let at: unknown = root
  for (const part of reference.slice(1).split('/').filter(Boolean)) {
    at = isSchema(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }
  return isSchema(at) ? at : {}
}

function typeOf(schema: Schema): string {
  const { type } = schema
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return String(type.find((each) => each !== 'null') ?? 'null')
  if (isSchema(schema.properties)) return 'object'
  return schema.items === undefined ? 'string' : 'array'
}

function text(schema: Schema): string {
  const plain = textByFormat[String(schema.format)] ?? 'text'
  const lengthMax = numberAt(schema, 'maxLength') ?? Number.POSITIVE_INFINITY
  return plain.padEnd(Math.min(numberAt(schema, 'minLength') ?? 0, 10_000), '.').slice(0, lengthMax)
}

function number(schema: Schema): number {
  const exclusive = numberAt(schema, 'exclusiveMinimum')
  const least = numberAt(schema, 'minimum') ?? (exclusive === undefined ? 0 : exclusive + 1)
  const most = numberAt(schema, 'maximum') ?? numberAt(schema, 'exclusiveMaximum') ?? Number.POSITIVE_INFINITY
  const value = least > 0 || most >= 0 ? Math.max(least, Math.min(0, most)) : Math.floor(most) - 1
  const step = numberAt(schema, 'multipleOf')
  return step === undefined || step <= 0 ? value : Math.ceil(value / step) * step
}

/** The smallest value that a JSON Schema asks for: required members, least lengths, first choices. Deterministic. */
export function instanceOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isSchema(schema) || depth > depthMax) return null
  const resolved = resolve(schema, isSchema(root) ? root : schema)
  if (resolved !== schema) return instanceOf(resolved, root, depth + 1)
  if ('const' in schema) return schema.const
  for (const name of ['enum', 'examples']) {
    const choices = schema[name]
    if (Array.isArray(choices) && choices.length > 0) return choices[0]
  }
  if ('default' in schema) return schema.default
  for (const name of ['anyOf', 'oneOf']) {
    const choices = schema[name]
    if (Array.isArray(choices) && choices.length > 0) return instanceOf(choices[0], root, depth + 1)
  }
  const all = schema.allOf
  if (Array.isArray(all)) {
    const parts = [
      ...all.map((each) => (isSchema(each) && isSchema(root) ? resolve(each, root) : each)),
      schema,
    ]
    return instanceOf(mergeAll(parts.filter(isSchema)), root, depth + 1)
  }
  return instanceOfType(schema, root, depth)
}

function mergeAll(parts: readonly Schema[]): Schema {
  const { allOf: _, ...merged } = Object.assign({}, ...parts) as Record<string, unknown>
  merged.properties = Object.assign({}, ...parts.map((part) => part.properties))
  merged.required = parts.flatMap((part) => (Array.isArray(part.required) ? part.required : []))
  return merged
}

function instanceOfType(schema: Schema, root: unknown, depth: number): unknown {
  const type = typeOf(schema)
  if (type === 'object') {
    const properties = isSchema(schema.properties) ? schema.properties : {}
    const required = Array.isArray(schema.required) ? schema.required.map(String) : []
    return Object.fromEntries(
      required.map((name) => [name, instanceOf(properties[name] ?? {}, root, depth + 1)]),
    )
  }
  if (type === 'array') {
    const count = Math.min(numberAt(schema, 'minItems') ?? 0, 100)
    return Array.from({ length: count }, () => instanceOf(schema.items ?? {}, root, depth + 1))
  }
  if (type === 'integer' || type === 'number') return number(schema)
  if (type === 'boolean') return false
  return type === 'null' ? null : text(schema)
}
