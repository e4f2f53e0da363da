import type { Catalogue } from '@signalbox/sdk/contract'
import { nativeConnections } from '@signalbox/sdk/contract'
import { parse } from 'yaml'
import { loadCatalogue } from '../catalogue/load-catalogue.ts'
import type { SourceFiles } from '../compile/built-version.ts'
import { WorkspaceModules } from '../compile/compile-modules.ts'
import { compilePrompts } from '../compile/link-prompts.ts'
import { ProblemList } from '../compile/problem-list.ts'

type Members = Readonly<Record<string, unknown>>

/** What the types of a workspace are made of. */
export interface TypedNames {
  readonly workspace: string
  readonly aliases: readonly string[]
  readonly connections: readonly string[]
  /** Targets that the workspace or the catalogue names; a connection may have others. */
  readonly targets: readonly string[]
  readonly metadata: Members
  readonly guardrails: ReadonlyMap<string, 'input' | 'output'>
  /** Schemas of variables, by prompt. */
  readonly prompts: ReadonlyMap<string, Members>
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** `signalbox.yaml`; nothing where the file is broken, which the compiler reports. */
function readLeniently(text: string): Members {
  try {
    return membersOf(parse(text, { maxAliasCount: 100 }))
  } catch {
    return {}
  }
}

/** Models of the catalogue that a connection offers: those of the vendor that it speaks to. */
function catalogueTargets(connections: Members, catalogue: Catalogue): string[] {
  return Object.entries(connections).flatMap(([name, connection]) => {
    const { provider, locality } = membersOf(connection)
    const vendor = locality === 'on-prem' ? provider : [name, provider]
    const wanted = new Set([vendor].flat())
    const models = catalogue.models.filter((model) => wanted.has(model.provider))
    return models.map(({ id }) => `${name}/${id}`)
  })
}

/**
 * Names that the code of a workspace may use. Reads what can be read of a workspace with errors, so that one slip
 * does not hide the others.
 */
export function typedNamesOf(
  files: SourceFiles,
  catalogue: Catalogue = loadCatalogue().catalogue,
): TypedNames {
  const file = readLeniently(files.get('signalbox.yaml') ?? '')
  const declared = membersOf(file.connections)
  const connections = { ...nativeConnections, ...declared }
  const aliases = membersOf(file.models)
  const overrides = Object.values(membersOf(file.environments)).map((each) =>
    membersOf(membersOf(each).models),
  )
  const listed = [aliases, ...overrides].flatMap((models) => Object.values(models).flat())
  const named = [...listed, ...Object.keys(membersOf(file.catalogue))].map(String)
  const unread = new ProblemList()
  const compiled = compilePrompts(files, unread)
  // One that is broken has its name, and no variables that could be told.
  const prompts = new Map<string, Members>([...compiled.names].sort().map((prompt) => [prompt, {}]))
  for (const each of compiled.prompts) prompts.set(each.compiled.name, each.compiled.variables)
  return {
    workspace: String(file.name ?? ''),
    aliases: Object.keys(aliases),
    connections: Object.keys(connections),
    targets: [...new Set([...named, ...catalogueTargets(connections, catalogue)])].sort(),
    metadata: membersOf(file.metadata),
    guardrails: new WorkspaceModules(files, unread).guardrails(),
    prompts,
  }
}

const anyScalar = 'string | number | boolean'
const scalarNames: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
}

/** The TypeScript type of a property's JSON Schema: a scalar, or of a prompt's variable a list of scalars. */
function typeOfSchema(schema: unknown): string {
  const { type, enum: values, const: value, items } = membersOf(schema)
  if (type === 'array') return `readonly (${typeOfSchema(items)})[]`
  if (Array.isArray(values)) {
    const literals = values.filter((each) => ['string', 'number', 'boolean'].includes(typeof each))
    return literals.length > 0 ? literals.map((each) => JSON.stringify(each)).join(' | ') : 'never'
  }
  if (value !== undefined) return JSON.stringify(value)
  const known = new Set([type].flat().map((each) => scalarNames[String(each)]))
  const names = [...known].filter((each) => each !== undefined)
  return names.length > 0 ? names.join(' | ') : anyScalar
}

function commentOf(schema: unknown): string {
  const { description } = membersOf(schema)
  return typeof description === 'string' ? `  /** ${description.replace(/\*\/|\s+/g, ' ')} */\n` : ''
}

function property(name: string, schema: unknown, mark: '' | '?'): string {
  return `${commentOf(schema)}  readonly ${JSON.stringify(name)}${mark}: ${typeOfSchema(schema)}`
}

function union(values: readonly string[]): string {
  return values.length === 0 ? 'never' : values.map((each) => JSON.stringify(each)).join(' | ')
}

/** A type with a comment, one alternative a line where there are many. */
function declaration(comment: string, name: string, alternatives: readonly string[]): string {
  const few = alternatives.length < 6
  const type = few
    ? alternatives.join(' | ') || 'never'
    : alternatives.map((each) => `\n  | ${each}`).join('')
  return `/** ${comment} */\nexport type ${name} =${few ? ' ' : ''}${type}`
}

/** Types of the names of a workspace. */
export function typeLines(names: TypedNames): string[] {
  // `& {}` keeps the known targets apart from the pattern that holds them all, so that editors offer them.
  const patterns = names.connections.map((name) => `(\`${name}/\${string}\` & {})`)
  const guardrails = (wanted: 'input' | 'output') =>
    [...names.guardrails].flatMap(([id, direction]) => (direction === wanted ? [id] : []))
  const prompts = [...names.prompts].map(([name, variables]) => {
    const members = Object.entries(variables).map(([each, schema]) => {
      const { required = true, default: standard } = membersOf(schema)
      return `  ${property(each, schema, required === true && standard === undefined ? '' : '?')}`
    })
    return `  readonly ${JSON.stringify(name)}: {${members.length === 0 ? '' : `\n${members.join('\n')}\n  `}}`
  })
  const targets = [...names.targets.map((each) => JSON.stringify(each)), ...patterns]
  return [
    declaration('An alias of `signalbox.yaml`.', 'AliasName', [union(names.aliases)]),
    declaration(
      '`connection/model`: what is known, and all else that a connection has.',
      'TargetName',
      targets,
    ),
    declaration('An alias, or a target of a connection.', 'ModelName', ['AliasName', 'TargetName']),
    declaration('A connection, declared or native.', 'ConnectionName', [union(names.connections)]),
    declaration('A guardrail over the input.', 'InputGuardrailName', [union(guardrails('input'))]),
    declaration('A guardrail over the output.', 'OutputGuardrailName', [union(guardrails('output'))]),
    '/** What `signalbox.yaml` declares under `metadata`. */',
    'export type Metadata = {',
    ...Object.entries(names.metadata).map(([name, schema]) => property(name, schema, '?')),
    '}',
    '/** Variables of each prompt, by its name. */',
    'export interface Prompts {',
    ...prompts,
    '}',
    declaration('A prompt of the workspace.', 'PromptName', ['Extract<keyof Prompts, string>']),
  ]
}

/**
 * Source of the module that gives policies the names of one workspace, in place of `authoring/workspace.ts`: what the
 * type check of `signalbox check` reads, and what `signalbox generate` writes for editors.
 */
export function workspaceModule(names: TypedNames): string {
  const name = names.workspace.replace(/[^\w.-]/g, '')
  return [`// Names of the workspace "${name}". Written by Signalbox.`, ...typeLines(names), ''].join('\n')
}
