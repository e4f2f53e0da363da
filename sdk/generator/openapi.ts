import { apiOperations, errorTable, type OperationDefinition } from '../contract/index.ts'
import { isSchema, type JsonSchema, type NamedSchemas } from './named-schemas.ts'

function withReferences(value: unknown, named: NamedSchemas, isRoot = false): unknown {
  if (Array.isArray(value)) return value.map((each) => withReferences(each, named))
  if (typeof value !== 'object' || value === null) return value
  if (!isRoot && isSchema(value)) {
    const name = named.find(value)
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  }
  const entries = Object.entries(value).filter(([key]) => key !== '$id')
  return Object.fromEntries(entries.map(([key, each]) => [key, withReferences(each, named)]))
}

function parametersOf(schema: unknown, place: 'path' | 'query', named: NamedSchemas): unknown[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return []
  const required: unknown = 'required' in schema ? schema.required : []
  return Object.entries(schema.properties as Record<string, JsonSchema>).map(([name, each]) => ({
    name,
    in: place,
    required: Array.isArray(required) && required.includes(name),
    ...(typeof each.description === 'string' ? { description: each.description } : {}),
    schema: withReferences(each, named),
  }))
}

const replyTypes = {
  json: 'application/json',
  events: 'text/event-stream',
  bytes: 'application/octet-stream',
}

function responsesOf(operation: OperationDefinition, named: NamedSchemas): Record<string, unknown> {
  const responses: Record<string, unknown> = {
    [String(operation.status ?? 200)]: {
      description: 'Done.',
      content: {
        [replyTypes[operation.replyForm ?? 'json']]: { schema: withReferences(operation.reply, named) },
      },
    },
  }
  const guarded = operation.role === 'public' ? [] : (['key_missing', 'key_invalid', 'forbidden'] as const)
  for (const code of new Set([...guarded, 'invalid_request' as const, ...operation.errors])) {
    const status = String(errorTable[code].status)
    const before = responses[status] as { description: string } | undefined
    const description = before === undefined ? code : `${before.description}, ${code}`
    responses[status] = {
      description,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    }
  }
  return responses
}

function describeOperation(operation: OperationDefinition, named: NamedSchemas): unknown {
  const parameters = [
    ...parametersOf(operation.params, 'path', named),
    ...parametersOf(operation.query, 'query', named),
  ]
  const body =
    operation.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content:
              operation.body === 'bytes'
                ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
                : { 'application/json': { schema: withReferences(operation.body, named) } },
          },
        }
  return {
    operationId: operation.id,
    summary: operation.summary,
    description: `Role: ${typeof operation.role === 'string' ? operation.role : operation.role.join(', ')}.`,
    ...(operation.role === 'public' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...body,
    responses: responsesOf(operation, named),
  }
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { type: 'string', enum: Object.keys(errorTable) },
        message: { type: 'string' },
        param: { type: 'string' },
        problems: { type: 'array', items: { $ref: '#/components/schemas/Problem' } },
        requestId: { type: 'string' },
      },
    },
  },
}

/** The whole HTTP contract of the control plane as OpenAPI 3.1. */
export function openApiDocument(version: string, named: NamedSchemas): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of Object.values<OperationDefinition>(apiOperations)) {
    const path = operation.path.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][operation.method.toLowerCase()] = describeOperation(operation, named)
  }
  const schemas = Object.fromEntries(
    named.entries().map(([name, schema]) => [name, withReferences(schema, named, true)]),
  )
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox control plane',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'sbt_…, sbr_… or sbg_…' } },
      schemas: { ...schemas, Error: errorSchema },
    },
  }
}
