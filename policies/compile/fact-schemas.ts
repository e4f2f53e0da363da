import { Facts, GuardrailFacts } from '@signalbox/sdk/contract'
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

/** Facts of a guardrail by its direction. */
export type GuardrailFactSchemas = Readonly<Record<'input' | 'output', FactSchema>>

// As plain JSON Schema, without TypeBox's own types.
const guardrailRoot: FactSchema = JSON.parse(JSON.stringify(GuardrailFacts))

/** What guardrails see: the metadata of a workspace, and the target only of what was answered. */
export function guardrailFactsSchemasOf(metadata: MetadataSchemas): GuardrailFactSchemas {
  const declared: FactSchema = { type: 'object', properties: metadata, required: [] }
  const whole = withMember(guardrailRoot, 'metadata', declared)
  const { target: _, ...others } = whole.properties ?? {}
  return {
    input: { ...whole, properties: others },
    output: { ...whole, required: [...(whole.required ?? []), 'target'] },
  }
}
