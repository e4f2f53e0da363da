import {
  type PromptValue,
  type PromptVariables,
  promptListMax,
  promptTextCharactersMax,
} from '@signalbox/sdk/contract'
import { compileSchema } from '@signalbox/sdk/node'

/** How a template may use a variable. */
export type VariableKind = 'scalar' | 'boolean' | 'list'
/** A declared variable: a JSON Schema of a scalar or of a list of scalars, with `required` and `default`. */
export interface PromptVariable {
  readonly kind: VariableKind
  /** A call may leave it out, and then it has no value. */
  readonly mayLack: boolean
  readonly default: PromptValue | undefined
  fits(value: unknown): boolean
}
export interface VariableProblem {
  readonly variable: string
  readonly message: string
}

/** Variables by the object of their schemas, which belongs to a version and does not change. */
const prepared = new WeakMap<object, ReadonlyMap<string, PromptVariable>>()
/** A flag of a part of a country: the one good use of the characters that nobody sees. */
const flag = /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,6}\u{E007F}/gu
/** Control characters but tab and line breaks, and the invisible copies of ASCII. */
const refused = /(?![\t\n\r])\p{Cc}|[\u{E0000}-\u{E007F}]/u

function kindOf(schema: { type?: unknown }): VariableKind {
  if (schema.type === 'array') return 'list'
  return schema.type === 'boolean' ? 'boolean' : 'scalar'
}

function prepareVariable(declared: unknown): PromptVariable {
  const { required = true, default: standard, ...schema } = Object(declared)
  const fits = compileSchema(schema)
  return {
    kind: kindOf(schema),
    mayLack: required === false && standard === undefined,
    default: standard,
    fits: (value) => fits(value) === true,
  }
}

/** The variables of a prompt, made ready once. Throws where one of them is no JSON Schema. */
export function prepareVariables(
  variables: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, PromptVariable> {
  const known = prepared.get(variables)
  if (known !== undefined) return known
  const made = new Map(Object.entries(variables).map(([name, each]) => [name, prepareVariable(each)]))
  prepared.set(variables, made)
  return made
}

/** Why a text cannot stand in a prompt; undefined where it can. */
function textFault(text: string): string | undefined {
  if (text.length > promptTextCharactersMax) return `is longer than ${promptTextCharactersMax} characters`
  if (!text.isWellFormed()) return 'holds half a character (a lone surrogate)'
  const found = refused.exec(text.replace(flag, ''))?.[0].codePointAt(0)
  if (found === undefined) return undefined
  return `holds the character U+${found.toString(16).toUpperCase().padStart(4, '0')}, which nobody can see`
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

function valueFault(variable: PromptVariable, value: unknown): string | undefined {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (members.length > promptListMax) return `has more than ${promptListMax} members`
  if (!members.every(isScalar) || !variable.fits(value)) return 'is not of its type'
  for (const member of members) {
    const fault = typeof member === 'string' ? textFault(member) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

/**
 * The first thing that is wrong with values for the variables of a prompt: one that it does not have, one that is
 * missing or not of its type, or a text with characters that nobody can see.
 */
export function variableProblem(
  variables: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): VariableProblem | undefined {
  const known = prepareVariables(variables)
  for (const name of Object.keys(values)) {
    if (known.has(name)) continue
    return { variable: name, message: `The prompt has no variable "${name}".` }
  }
  for (const [name, variable] of known) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) {
      if (variable.mayLack || variable.default !== undefined) continue
      return { variable: name, message: `The prompt's variable "${name}" is missing.` }
    }
    const fault = valueFault(variable, value)
    if (fault !== undefined) return { variable: name, message: `The prompt's variable "${name}" ${fault}.` }
  }
  return undefined
}

/** Values with the defaults of those that were left out. */
export function withDefaults(
  variables: Readonly<Record<string, unknown>>,
  values: PromptVariables,
): ReadonlyMap<string, PromptValue> {
  const filled = new Map<string, PromptValue>()
  for (const [name, variable] of prepareVariables(variables)) {
    const value = Object.hasOwn(values, name) ? values[name] : variable.default
    if (value !== undefined) filled.set(name, value)
  }
  return filled
}
