import { Facts } from '@signalbox/sdk/contract'
import type { FactSchema } from './fact-types.ts'

/** Metadata as a workspace declares it: property → JSON Schema. */
export type MetadataSchemas = Readonly<Record<string, FactSchema>>

// As plain JSON Schema, without TypeBox's own types.
const root: FactSchema = JSON.parse(JSON.stringify(Facts))

function withMember(schema: FactSchema, name: string, member: FactSchema): FactSchema {
  return { ...schema, properties: { ...schema.properties, [name]: member } }
}

const columns: Readonly<Record<string, FactSchema>> = {
  connection: { type: 'string' },
  provider: { type: 'string' },
  locality: { enum: ['cloud', 'on-prem'] },
  region: { type: 'string' },
  tier: { type: 'string' },
  contextTokens: { type: 'integer' },
  inputPico: { type: 'integer' },
  outputPico: { type: 'integer' },
}
const columnsAlwaysThere = ['connection', 'provider', 'locality', 'tier']

/** Facts of a call as the policies of a workspace see them: its metadata, and candidate models with their columns. */
export function factsSchemaOf(metadata: MetadataSchemas): FactSchema {
  const request = root.properties?.request ?? {}
  const models = root.properties?.models ?? {}
  const model = models.items ?? {}
  const row: FactSchema = {
    ...model,
    properties: { ...model.properties, ...columns },
    required: [...(model.required ?? []), ...columnsAlwaysThere],
  }
  const declared: FactSchema = { type: 'object', properties: metadata, required: [] }
  return withMember(withMember(root, 'request', withMember(request, 'metadata', declared)), 'models', {
    ...models,
    items: row,
  })
}

/** What a guardrail sees. */
export function guardrailFactsSchemaOf(metadata: MetadataSchemas): FactSchema {
  const detectors = root.properties?.data?.properties?.detectors ?? {}
  return {
    type: 'object',
    properties: {
      direction: { enum: ['input', 'output'] },
      text: { type: 'object', properties: { chars: { type: 'integer' } }, required: ['chars'] },
      findings: detectors,
      detectorErrors: { type: 'array', items: { type: 'string' } },
      metadata: { type: 'object', properties: metadata, required: [] },
    },
    required: ['direction', 'text', 'findings', 'detectorErrors', 'metadata'],
  }
}
