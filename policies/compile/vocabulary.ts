import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import * as authoring from '../authoring/index.ts'
import { UseEffect } from '../authoring/use.ts'
import { factsSchemaOf } from './fact-schemas.ts'
import { type FactSchema, typeOfSchema } from './fact-types.ts'

/** A fact or a part of the facts: `request.metadata.tier`; `[]` stands for the members of a list. */
export interface FactWord {
  readonly path: string
  /** `string`, `number`, `object`, … */
  readonly kind: string
  /** All values it can have, where they are few. */
  readonly values?: readonly unknown[]
}
/** The words that authors of a workspace can use, for editors. */
export interface Vocabulary {
  readonly facts: readonly FactWord[]
  /** What `@signalbox/policies` exports. */
  readonly functions: readonly string[]
  /** Methods of what `use(…)` gives. */
  readonly choiceMethods: readonly string[]
  /** Aliases, then targets. */
  readonly models: readonly string[]
  readonly guardrails: readonly string[]
  readonly prompts: readonly string[]
}

const depthMax = 8

function collect(schema: FactSchema, path: string, found: FactWord[], depth = 0): void {
  if (depth > depthMax) return
  const { kinds, values } = typeOfSchema(schema)
  if (path !== '') found.push({ path, kind: [...kinds].join(' | '), ...(values !== undefined && { values }) })
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    collect(member, path === '' ? name : `${path}.${name}`, found, depth + 1)
  }
  if (schema.items !== undefined) collect(schema.items, `${path}[]`, found, depth + 1)
}

/** The words of a compiled workspace. */
export function vocabularyOf(compiled: CompiledWorkspace): Vocabulary {
  const facts: FactWord[] = []
  collect(factsSchemaOf(compiled.metadata), '', facts)
  const choice = Object.getOwnPropertyNames(UseEffect.prototype)
  return {
    facts,
    functions: Object.entries(authoring).flatMap(([name, value]) =>
      typeof value === 'function' && /^[a-z]/.test(name) ? [name] : [],
    ),
    choiceMethods: choice.filter((name) => name !== 'constructor' && name !== 'toJSON'),
    models: [...Object.keys(compiled.models), ...compiled.targets],
    guardrails: compiled.guardrails.map(({ id }) => id),
    prompts: compiled.prompts.map(({ name }) => name),
  }
}
