import type { TypedNames } from './workspace-types.ts'

type Members = Readonly<Record<string, unknown>>

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** A value as Python writes it; its texts may be written as those of JSON. */
function literal(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return JSON.stringify(value)
}

function literals(values: readonly unknown[]): string {
  return `Literal[${values.map(literal).join(', ')}]`
}

const scalarNames: Readonly<Record<string, string>> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
}

/** The Python type of a property's JSON Schema: a scalar, or of a prompt's variable a list of scalars. */
function typeOf(schema: unknown): string {
  const { type, enum: values, const: value, items } = membersOf(schema)
  if (type === 'array') return `Sequence[${typeOf(items)}]`
  // Python knows no literals of numbers with a fraction.
  const known = (Array.isArray(values) ? values : value === undefined ? [] : [value]).filter(
    (each) => ['string', 'boolean'].includes(typeof each) || Number.isSafeInteger(each),
  )
  if (known.length > 0) return literals(known)
  const names = new Set([type].flat().map((each) => scalarNames[String(each)]))
  const found = [...names].filter((each) => each !== undefined)
  return found.length > 0 ? found.join(' | ') : 'str | int | float | bool'
}

/** A `TypedDict` in the form that takes any name for a key. */
function typedDict(name: string, comment: string, members: readonly (readonly [string, string])[]): string {
  const lines = members.map(([key, type]) => `        ${literal(key)}: ${type},`)
  return [
    `# ${comment}`,
    `${name} = TypedDict(`,
    `    ${literal(name)},`,
    '    {',
    ...lines,
    '    },',
    ')',
  ].join('\n')
}

/** `house-style` → `HouseStyleVariables`; `taken` keeps two prompts apart whose names differ by a sign only. */
function className(prompt: string, taken: Set<string>): string {
  const words = prompt.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const stem = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('')
  let name = `${/^\d/.test(stem) ? 'Prompt' : ''}${stem}Variables`
  while (taken.has(name)) name += '_'
  taken.add(name)
  return name
}

function constant(name: string, comment: string, values: readonly string[]): string {
  const type = values.length === 0 ? 'Never' : literals(values)
  const list = values.length === 0 ? '()' : `(${values.map(literal).join(', ')},)`
  return `# ${comment}\n${name} = ${type}\n${upperSnake(name)}S: Final[tuple[${name}, ...]] = ${list}`
}

/** `ModelName` → `MODEL_NAME`. */
function upperSnake(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}

interface NamedPrompt {
  readonly name: string
  readonly variables: string
  readonly needsSome: boolean
}

function isRequired(schema: unknown): boolean {
  const { required = true, default: standard } = membersOf(schema)
  return required === true && standard === undefined
}

/** One signature without a prompt, one for each prompt with its variables. */
function overloads(prompts: readonly NamedPrompt[]): string[] {
  if (prompts.length === 0) return []
  const signatures = ['', ...prompts].map((prompt) => {
    if (typeof prompt === 'string')
      return 'def headers(*, metadata: Metadata | None = None) -> dict[str, str]: ...'
    const variables = `variables: ${prompt.variables}${prompt.needsSome ? '' : ' | None = None'}`
    const named = `prompt: Literal[${literal(prompt.name)}], ${variables}`
    return `def headers(*, metadata: Metadata | None = None, ${named}) -> dict[str, str]: ...`
  })
  return signatures.map((signature) => `@overload\n${signature}`)
}

const body = `def headers(
    *,
    metadata: Metadata | None = None,
    prompt: str | None = None,
    variables: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """Request headers of a call: pass them to any client, as \`extra_headers=headers(...)\` of openai and anthropic."""
    made: dict[str, str] = {}
    if metadata is not None:
        made["x-signalbox-metadata"] = json.dumps(metadata)
    if prompt is not None:
        made["x-signalbox-prompt"] = prompt
    if variables is not None:
        made["x-signalbox-variables"] = json.dumps(variables)
    return made`

/**
 * Source of a Python module (3.11 and later, standard library only) for applications that call models by the names of
 * one workspace: its aliases, the metadata it declares, the variables of its prompts, and the headers that carry them.
 */
export function pythonClient(names: TypedNames): string {
  const taken = new Set<string>()
  const dicts: string[] = []
  const prompts = [...names.prompts].map(([name, variables]): NamedPrompt => {
    const type = className(name, taken)
    const members = Object.entries(variables).map(([each, schema]) => {
      const own = typeOf(schema)
      return [each, isRequired(schema) ? own : `NotRequired[${own}]`] as const
    })
    dicts.push(typedDict(type, `Variables of the prompt ${literal(name)}.`, members))
    return { name, variables: type, needsSome: Object.values(variables).some(isRequired) }
  })
  const metadata = Object.entries(names.metadata).map(
    ([name, schema]) => [name, `NotRequired[${typeOf(schema)}]`] as const,
  )
  const workspace = names.workspace.replace(/[^\w.-]/g, '')
  const sections = [
    `"""Names of the workspace "${workspace}". Written by \`signalbox generate --lang py\`."""`,
    'import json\nfrom collections.abc import Mapping, Sequence\n' +
      'from typing import Final, Literal, Never, NotRequired, TypedDict, overload',
    constant('AliasName', 'An alias of `signalbox.yaml`, for `model`.', names.aliases),
    constant('PromptName', 'A prompt of the workspace.', [...names.prompts.keys()]),
    typedDict('Metadata', 'What `signalbox.yaml` declares under `metadata`.', metadata),
    ...dicts,
    ...overloads(prompts),
    body,
  ]
  return `${sections.join('\n\n\n')}\n`
}
