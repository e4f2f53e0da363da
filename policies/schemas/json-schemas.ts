import {
  Effect,
  Facts,
  GuardrailActions,
  PlanNodeDefinition,
  PolicyFile,
  providers,
  WorkspaceFile,
} from '@signalbox/sdk/contract'
import { GuardrailSuite, PolicySuite, PromptSuite } from '../cases/cases-file.ts'
import { GuardrailFile } from '../compile/json-guardrail.ts'

type Schema = Readonly<Record<string, unknown>>

/** A schema of JSON files that authors write, as editors use it. */
export interface PublishedSchema {
  /** File name, with the version of the format: `policy-1.json`. */
  readonly name: string
  /** Files of a workspace that it is for, as globs. */
  readonly files: readonly string[]
  readonly language: 'json' | 'yaml'
  readonly schema: Schema
}

const dialect = 'http://json-schema.org/draft-07/schema#'
const expression: Schema = { $ref: '#/definitions/Expression' }
const operands: Schema = { type: 'array', items: expression, minItems: 2, maxItems: 2 }
const scalar: Schema = { type: ['string', 'number', 'boolean', 'null'] }

function only(name: string, value: Schema, description: string): Schema {
  const properties = { [name]: { ...value, description } }
  return { type: 'object', properties, required: [name], additionalProperties: false }
}

function operatorSchemas(hasCaller: boolean): Schema[] {
  const conditions = { type: 'array', items: expression, minItems: 1 }
  const path = { type: 'string', description: 'Path of a fact.' }
  const fact = {
    type: 'object',
    properties: { fact: path, or: { ...scalar, description: 'Stands in where the fact is missing.' } },
    required: ['fact'],
    additionalProperties: false,
  }
  const bucket = {
    type: 'object',
    properties: { rollout: { type: 'string', minLength: 1 }, ppm: expression },
    required: ['rollout', 'ppm'],
    additionalProperties: false,
  }
  const ofCaller = [
    only('bucket', bucket, 'Whether the caller is in the first `ppm` millionths of a rollout.'),
  ]
  return [
    fact,
    only('param', { type: 'string' }, 'The value of a param.'),
    only('all', conditions, 'Every condition holds.'),
    only('any', conditions, 'One condition holds.'),
    only('not', expression, 'The condition does not hold.'),
    only('eq', operands, 'Equal.'),
    only('ne', operands, 'Not equal.'),
    only('lt', operands, 'Less than.'),
    only('lte', operands, 'Less than or equal.'),
    only('gt', operands, 'Greater than.'),
    only('gte', operands, 'Greater than or equal.'),
    only('in', operands, 'The first is a member of the second.'),
    only('has', path, 'The optional fact is there.'),
    only('startsWith', operands, 'The first text begins with the second.'),
    only('endsWith', operands, 'The first text ends with the second.'),
    only('contains', operands, 'The first text holds the second.'),
    only('some', operands, 'The condition holds for a member of the list, {"item": true}.'),
    only('every', operands, 'The condition holds for every member of the list, {"item": true}.'),
    only('item', { const: true }, 'The member at hand, inside "some" and "every".'),
    ...(hasCaller ? ofCaller : []),
  ]
}

function expressionSchema(hasCaller: boolean): Schema {
  const description = 'Literals stand for themselves; everything else is one operator.'
  const list = { type: 'array', items: scalar }
  return { description, anyOf: [scalar, list, ...operatorSchemas(hasCaller)] }
}

/** A plain copy, without what only our own validator understands. */
function plain(schema: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"PlanNode"', '"$ref":"#/definitions/PlanNode"'))
}

/** The plan as an author writes it: an alias may stand where the finished plan has a target. */
function planSchema(): Schema {
  const { $id: _, ...plan } = plain(PlanNodeDefinition)
  const [target, ...others] = plan.anyOf as [{ properties: Record<string, unknown> }, ...unknown[]]
  const name = { type: 'string', minLength: 1, maxLength: 256, description: 'Alias or target.' }
  return { ...plan, anyOf: [{ ...target, properties: { ...target.properties, target: name } }, ...others] }
}

function policySchema(): Schema {
  const { properties, ...file } = plain(PolicyFile) as { properties: { rules: { items: unknown } } }
  const { items, ...rules } = properties.rules as { items: { properties: Schema } }
  const effect = { $ref: '#/definitions/Effect' }
  const then = { anyOf: [effect, { type: 'array', items: effect, minItems: 1, maxItems: 8 }] }
  const rule = { ...items, properties: { ...items.properties, when: expression, then } }
  return {
    $schema: dialect,
    title: 'Signalbox policy',
    ...file,
    properties: { ...properties, rules: { ...rules, items: rule } },
    definitions: { Expression: expressionSchema(true), Effect: plain(Effect), PlanNode: planSchema() },
  }
}

function guardrailSchema(): Schema {
  const { properties, ...file } = plain(GuardrailFile) as { properties: Schema }
  const { items, ...rules } = properties.rules as { items: { properties: Schema } }
  const action = { $ref: '#/definitions/Action' }
  const then = { anyOf: [action, { type: 'array', items: action, minItems: 1, maxItems: 8 }] }
  const rule = { ...items, properties: { ...items.properties, when: expression, then } }
  return {
    $schema: dialect,
    title: 'Signalbox guardrail',
    ...file,
    properties: { ...properties, rules: { ...rules, items: rule }, when: expression, then },
    definitions: {
      Expression: expressionSchema(false),
      Action: { anyOf: Object.values(GuardrailActions).map(plain) },
    },
  }
}

function workspaceSchema(): Schema {
  const { properties, ...file } = plain(WorkspaceFile) as { properties: Record<string, Schema> }
  const { patternProperties, ...connections } = properties.connections as {
    patternProperties: Record<string, { properties: Record<string, Schema> }>
  }
  const withProviders = Object.entries(patternProperties).map(([pattern, connection]) => {
    const provider = { ...connection.properties.provider, enum: providers }
    return [pattern, { ...connection, properties: { ...connection.properties, provider } }]
  })
  const known = { ...connections, patternProperties: Object.fromEntries(withProviders) }
  return {
    $schema: dialect,
    title: 'signalbox.yaml',
    ...file,
    properties: { ...properties, connections: known },
  }
}

/** The alternatives by what they test, so that an editor speaks of the one that was meant. */
function casesSchema(): Schema {
  const policy = plain(PolicySuite)
  const has = (name: string): Schema => ({ required: [name] })
  return {
    $schema: dialect,
    title: 'Signalbox cases',
    type: 'object',
    if: has('guardrail'),
    then: plain(GuardrailSuite),
    else: {
      if: has('prompt'),
      then: plain(PromptSuite),
      else: { ...policy, anyOf: [has('policy'), has('bundle')] },
    },
  }
}

/** Any part of the facts of a call: what a fixture leaves out is as in a plain call. */
function factsSchema(): Schema {
  const partial = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(partial)
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).filter(
      ([name, member]) => name !== 'required' || !Array.isArray(member),
    )
    return Object.fromEntries(members.map(([name, member]) => [name, partial(member)]))
  }
  return { $schema: dialect, title: 'Signalbox facts', ...Object(partial(plain(Facts))) }
}

/** Schemas of all files that authors write by hand, made from those that the compiler checks with. */
export function publishedSchemas(): readonly PublishedSchema[] {
  return [
    { name: 'policy-1.json', files: ['policies/**/*.policy.json'], language: 'json', schema: policySchema() },
    {
      name: 'guardrail-1.json',
      files: ['guardrails/**/*.guardrail.json'],
      language: 'json',
      schema: guardrailSchema(),
    },
    { name: 'facts-1.json', files: ['fixtures/**/*.facts.json'], language: 'json', schema: factsSchema() },
    { name: 'workspace-1.json', files: ['signalbox.yaml'], language: 'yaml', schema: workspaceSchema() },
    { name: 'cases-1.json', files: ['tests/**/*.cases.yaml'], language: 'yaml', schema: casesSchema() },
  ]
}

/** A schema as the text of its file. */
export function schemaText({ schema }: PublishedSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}
