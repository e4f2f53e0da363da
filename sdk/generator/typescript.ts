import { apiOperations, errorTable, type OperationDefinition } from '../contract/index.ts'
import { isSchema, type JsonSchema, type NamedSchemas } from './named-schemas.ts'

const identifier = /^[A-Za-z_$][A-Za-z0-9_$]*$/
const nameOfMember = (name: string): string => (identifier.test(name) ? name : JSON.stringify(name))

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))

function comment(text: unknown, indent: string): string {
  return typeof text === 'string' ? `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n` : ''
}

function objectType(schema: JsonSchema, named: NamedSchemas, indent: string): string {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const required = (schema.required ?? []) as string[]
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, each]) => {
    const mark = required.includes(name) ? '' : '?'
    const type = typeOf(each, named, inner)
    return `${comment(each.description, inner)}${inner}${nameOfMember(name)}${mark}: ${type}`
  })
  if (members.length > 0) return `{\n${members.join('\n')}\n${indent}}`
  const patterns = Object.values((schema.patternProperties ?? {}) as Record<string, JsonSchema>)
  const extra = patterns[0] ?? schema.additionalProperties
  if (typeof extra === 'object' && extra !== null) {
    return `Record<string, ${typeOf(extra as JsonSchema, named, indent)}>`
  }
  return schema.additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>'
}

const scalarTypes: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
}

/** The TypeScript type of a JSON Schema of the contract. */
export function typeOf(schema: JsonSchema, named: NamedSchemas, indent = '', isRoot = false): string {
  const name = isRoot ? undefined : named.find(schema)
  if (name !== undefined) return name
  if (Array.isArray(schema.enum)) return schema.enum.map(literal).join(' | ')
  if ('const' in schema) return literal(schema.const)
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.map((each: JsonSchema) => typeOf(each, named, indent)).join(' | ')
  }
  if (schema.type === 'array') {
    const item = typeOf(schema.items as JsonSchema, named, indent)
    return /[|{]/.test(item) ? `Array<${item}>` : `${item}[]`
  }
  if (schema.type === 'object') return objectType(schema, named, indent)
  return scalarTypes[String(schema.type)] ?? 'unknown'
}

function inputSchema(operation: OperationDefinition): JsonSchema | undefined {
  const parts = [
    operation.params,
    operation.query,
    operation.body === 'bytes' ? undefined : operation.body,
  ].filter(isSchema)
  if (parts.length === 0) return undefined
  const properties: Record<string, unknown> = {}
  const required: string[] = []
  for (const part of parts) {
    for (const [name, schema] of Object.entries(part.properties as Record<string, unknown>)) {
      if (name in properties) throw new Error(`${operation.id}: two members are named "${name}"`)
      properties[name] = schema
    }
    required.push(...((part.required ?? []) as string[]))
  }
  return { type: 'object', properties, required }
}

const pascal = (id: string): string => id.charAt(0).toUpperCase() + id.slice(1)
const memberNames = (schema: unknown): string[] =>
  Object.keys(((schema as JsonSchema | undefined)?.properties ?? {}) as object)

function routeOf(operation: OperationDefinition): string {
  const body = operation.body === undefined || operation.body === 'bytes' ? [] : memberNames(operation.body)
  const route = {
    method: operation.method,
    path: operation.path,
    query: memberNames(operation.query),
    body: operation.body === undefined ? null : body,
  }
  return JSON.stringify(route)
}

function methodOf(operation: OperationDefinition, _named: NamedSchemas): string {
  const input = inputSchema(operation)
  const optional = input !== undefined && (input.required as string[]).length === 0
  const parameter =
    input === undefined ? '' : `input: ${pascal(operation.id)}Input${optional ? ' = {}' : ''}, `
  const argument = input === undefined ? '{}' : 'input'
  const reply = `${pascal(operation.id)}Reply`
  const doc = `  /** ${operation.summary} */\n`
  if (operation.replyForm === 'events') {
    return `${doc}  ${operation.id}(${parameter}options: CallOptions = {}): AsyncIterable<${reply}> {
    return this.http.events<${reply}>(${routeOf(operation)}, ${argument}, options)
  }`
  }
  if (operation.replyForm === 'bytes') {
    return `${doc}  ${operation.id}(${parameter}options: CallOptions = {}): Promise<${reply}> {
    return this.http.bytes(${routeOf(operation)}, ${argument}, options)
  }`
  }
  return `${doc}  ${operation.id}(${parameter}options: CallOptions = {}): Promise<${reply}> {
    return this.http.call<${reply}>(${routeOf(operation)}, ${argument}, options)
  }`
}

/** Operations that people, CI and the console use; what gateways say is not part of the SDK. */
const clientOperations = Object.values<OperationDefinition>(apiOperations).filter(
  (each) => each.role !== 'gateway',
)

/** Declarations of the named types that a text mentions, and of those that these mention. */
function reachableTypes(text: string, named: NamedSchemas): string[] {
  const open = new Map(named.entries())
  const declarations = new Map<string, string>()
  const queue = [text]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const name of next.match(/\b[A-Z][A-Za-z]+\b/g) ?? []) {
      const schema = open.get(name)
      if (schema === undefined) continue
      open.delete(name)
      const type = `export type ${name} = ${typeOf(schema, named, '', true)}`
      declarations.set(name, `${comment(schema.description, '')}${type}`)
      queue.push(type)
    }
  }
  return [...declarations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, declaration]) => declaration)
}

/** The client: one method per operation, all types written out, nothing imported but the HTTP layer. */
export function clientSource(named: NamedSchemas): string {
  const operationTypes = clientOperations.map((operation) => {
    const input = inputSchema(operation)
    const lines =
      input === undefined ? [] : [`export type ${pascal(operation.id)}Input = ${typeOf(input, named)}`]
    const reply =
      operation.replyForm === 'bytes' ? 'Uint8Array<ArrayBuffer>' : typeOf({ ...operation.reply }, named)
    lines.push(`export type ${pascal(operation.id)}Reply = ${reply}`)
    return lines.join('\n')
  })
  const types = reachableTypes(operationTypes.join('\n'), named)
  const codes = Object.keys(errorTable).map((code) => `  | '${code}'`)
  return `// Generated by \`npm run generate\` from sdk/contract. Do not edit.
import type { CallOptions, Http } from './http.ts'

/** Codes of errors; the table with their meaning is in the README. */
export type ErrorCode =
${codes.join('\n')}

${types.join('\n\n')}

${operationTypes.join('\n\n')}

/** One method per operation of the control plane. */
export class Client {
  private readonly http: Http

  constructor(http: Http) {
    this.http = http
  }

${clientOperations.map((operation) => methodOf(operation, named)).join('\n\n')}
}
`
}
