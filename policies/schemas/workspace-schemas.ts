import { factsSchemaOf, type MetadataSchemas } from '../compile/fact-schemas.ts'
import { type FactSchema, hasMembers } from '../compile/fact-types.ts'
import type { TypedNames } from '../typecheck/workspace-types.ts'
import { type PublishedSchema, publishedSchemas } from './json-schemas.ts'

type Schema = Readonly<Record<string, unknown>>
/** A schema that is being changed; only members that are known to be objects are walked into. */
interface Open {
  [member: string]: Open
}

/** Paths of facts that a condition can read: scalars and lists of scalars. */
function factPaths(schema: FactSchema, prefix = ''): string[] {
  if (schema.items !== undefined) return hasMembers(schema.items) ? [] : [prefix]
  if (!hasMembers(schema)) return [prefix]
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    factPaths(member, prefix === '' ? name : `${prefix}.${name}`),
  )
}

/** A text with known values that editors offer; others are allowed where a pattern holds them. */
function known(values: readonly string[], pattern?: string): Schema {
  const listed = { enum: values }
  return pattern === undefined ? listed : { anyOf: [listed, { type: 'string', pattern }] }
}

const model: Schema = { $ref: '#/definitions/Model' }
const target: Schema = { $ref: '#/definitions/Target' }
const listOf = (one: Schema): Schema => ({ anyOf: [one, { type: 'array', items: one }] })

/** Puts names of the workspace where an effect names something. */
function nameEffect(effect: Open, names: TypedNames): void {
  const { use, only, requireGuard, mirror } = Object(effect.properties)
  const prompt = known([...names.prompts.keys()])
  if (use !== undefined) {
    const { properties } = use
    const [, fromFacts] = properties.model.anyOf
    properties.model = { description: 'Alias or target.', anyOf: [model, fromFacts] }
    Object.assign(properties, { fallback: { ...properties.fallback, items: model }, mirror: model })
    const [, withValues] = properties.prompt.anyOf
    withValues.properties.name = prompt
    properties.prompt = { anyOf: [prompt, withValues] }
  }
  if (only !== undefined) {
    const columns = { target: listOf(target), connection: listOf(known(names.connections)) }
    Object.assign(only.properties.where.properties, columns)
  }
  if (requireGuard !== undefined) requireGuard.properties.id = known([...names.guardrails.keys()])
  if (mirror !== undefined) effect.properties = Object.assign({}, effect.properties, { mirror: model })
}

/** The schema of policies with the names of one workspace, its facts and its metadata. */
function namedPolicySchema(published: Schema, names: TypedNames): Schema {
  const schema = JSON.parse(JSON.stringify(published))
  const { definitions, properties } = schema
  const connections = names.connections.map((each) => each.replaceAll('.', '\\.')).join('|')
  // Fits: metadata is checked where it is declared, and here only its names count.
  const paths = factPaths(factsSchemaOf(names.metadata as MetadataSchemas))
  // Members of open objects, such as a detector's findings, are not listed.
  const path = known(paths, '^data\\.detectors\\.')
  for (const { properties: operator } of definitions.Expression.anyOf) {
    for (const name of ['fact', 'has']) if (operator?.[name] !== undefined) operator[name] = path
  }
  for (const effect of definitions.Effect.anyOf) nameEffect(effect, names)
  const [planTarget] = definitions.PlanNode.anyOf
  planTarget.properties.target = model
  planTarget.properties.prompt.properties.name = known([...names.prompts.keys()])
  properties.safeRoute = model
  const Target = known(names.targets, `^(${connections})/.`)
  const Model = { anyOf: [{ enum: names.aliases }, target] }
  const title = `Policy of the workspace ${names.workspace}`
  return JSON.parse(JSON.stringify({ ...schema, title, definitions: { ...definitions, Target, Model } }))
}

function namedFactsSchema(published: Schema, names: TypedNames): Schema {
  const schema = JSON.parse(JSON.stringify(published))
  schema.properties.request.properties.metadata = { type: 'object', properties: names.metadata }
  return schema
}

/** The published schemas for one workspace: its aliases, targets, guardrails, prompts and metadata are in them. */
export function workspaceSchemas(names: TypedNames): readonly PublishedSchema[] {
  return publishedSchemas().map((each) => {
    if (each.name === 'policy-1.json') return { ...each, schema: namedPolicySchema(each.schema, names) }
    return each.name === 'facts-1.json' ? { ...each, schema: namedFactsSchema(each.schema, names) } : each
  })
}
