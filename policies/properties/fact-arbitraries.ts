import { type CompiledWorkspace, Facts, nativeConnections } from '@signalbox/sdk/contract'
import * as fc from 'fast-check'
import { CaseError } from '../cases/case-facts.ts'
import { isPathOf, parsePath } from '../cases/document-path.ts'
import { type Interesting, interestingValues } from './interesting-values.ts'

/** What of a JSON Schema values are made from. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
}
/** Facts that a run differs in from those it starts from: path → value; `null` takes away. */
export type FactSet = Readonly<Record<string, unknown>>

const textLengthMax = 12
const listLengthMax = 4
const numberMax = 2 ** 40
/** Not varied: fixed by the format or the run, worked out from others, or without a meaning of their own. */
const fixedPaths = new Set([
  'schema',
  'phase',
  'environment.name',
  'request.id',
  'request.model.alias',
  'request.model.targets',
  'request.model.requested',
  'request.metadata',
  'request.route',
  'subject.organisationId',
  'subject.auth',
  'data.detectors',
  'models',
])
/** Detectors that every workspace may read. */
const detectors = ['pii', 'secrets', 'injection']

function numberOf(schema: Schema, { numbers }: Interesting): fc.Arbitrary<number> {
  const step = schema.type === 'integer' ? 1 : Number.EPSILON
  const { minimum = 0, exclusiveMinimum, exclusiveMaximum } = schema
  const min = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + step
  const max = exclusiveMaximum === undefined ? (schema.maximum ?? numberMax) : exclusiveMaximum - step
  const whole = fc.integer({ min: Math.ceil(min), max: Math.floor(Math.max(Math.ceil(min), max)) })
  const small = fc.integer({ min: Math.ceil(min), max: Math.floor(Math.min(max, Math.ceil(min) + 20)) })
  const near = numbers.filter((each) => each >= min && each <= max && Number.isInteger(each))
  const { multipleOf } = schema
  const any = near.length === 0 ? fc.oneof(small, whole) : fc.oneof(fc.constantFrom(...near), small, whole)
  return multipleOf === undefined ? any : any.map((each) => Math.floor(each / multipleOf) * multipleOf)
}

function textOf(schema: Schema, { texts }: Interesting): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = textLengthMax, pattern } = schema
  const fits = (text: string): boolean =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, 'u').test(text))
  const known = [...texts, 'a', 'team-a', 'connection/model'].filter(fits)
  const made = fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, textLengthMax)) })
  if (pattern === undefined) return known.length === 0 ? made : fc.oneof(fc.constantFrom(...known), made)
  return known.length === 0 ? made.filter(fits) : fc.constantFrom(...known)
}

/** Values of a schema; undefined where it is of a kind that facts do not have. */
function valuesOf(schema: Schema, interesting: Interesting): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((each) => valuesOf(each, interesting)))
  switch (schema.type) {
    case 'boolean':
      return fc.boolean()
    case 'integer':
    case 'number':
      return numberOf(schema, interesting)
    case 'array': {
      const maxLength = Math.min(schema.maxItems ?? listLengthMax, listLengthMax)
      return fc.array(valuesOf(schema.items ?? {}, interesting), { maxLength })
    }
    case 'object': {
      const members = Object.entries(schema.properties ?? {})
      const model = Object.fromEntries(members.map(([name, each]) => [name, valuesOf(each, interesting)]))
      return fc.record(model, { requiredKeys: [...(schema.required ?? [])] })
    }
    default:
      return textOf(schema, interesting)
  }
}

/** Paths that are varied, with their schemas: scalars, lists, and objects that a call may lack as a whole. */
function variedPaths(schema: Schema, path = ''): [path: string, schema: Schema][] {
  const required = new Set(schema.required ?? [])
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const own = path === '' ? name : `${path}.${name}`
    if (fixedPaths.has(own)) return []
    const isOpen = member.type === 'object' && required.has(name)
    return isOpen ? variedPaths(member, own) : ([[own, member]] as [string, Schema][])
  })
}

/** A name that a glob stands for, and one that it does not. */
function namesOfGlobs(globs: readonly string[]): string[] {
  return [...new Set(['', 'other', ...globs.flatMap((glob) => [glob.replaceAll('*', 'x')])])]
}

/** Makers of facts for the calls that a workspace may meet. */
export class FactArbitraries {
  readonly #compiled: CompiledWorkspace
  readonly #byPath = new Map<string, fc.Arbitrary<unknown>>()

  constructor(compiled: CompiledWorkspace, candidates: readonly string[]) {
    this.#compiled = compiled
    const interesting = interestingValues(compiled)
    // As plain JSON Schema, without TypeBox's own types.
    const schema: Schema = JSON.parse(JSON.stringify(Facts))
    for (const [path, each] of variedPaths(schema)) this.#byPath.set(path, valuesOf(each, interesting(path)))
    for (const [name, each] of Object.entries(compiled.metadata)) {
      const path = `request.metadata.${name}`
      this.#byPath.set(path, valuesOf(each as Schema, interesting(path)))
    }
    const { policies, models } = compiled
    const routes = policies.flatMap(({ match }) => match?.route ?? [])
    this.#byPath.set('request.route', fc.constantFrom(...namesOfGlobs(routes)))
    const targets = [...candidates, ...Object.keys(nativeConnections).map((name) => `${name}/unheard-of`)]
    this.#byPath.set('request.model.requested', fc.constantFrom(...Object.keys(models), ...targets))
    const [finding] = Object.values(schema.properties?.data?.properties?.detectors?.patternProperties ?? {})
    for (const name of this.#detectors()) {
      const path = `data.detectors.${name}`
      if (finding !== undefined) this.#byPath.set(path, valuesOf(finding, interesting(`${path}.hits`)))
    }
    const row = schema.properties?.models?.items?.properties?.health
    if (row !== undefined && candidates.length > 0) {
      const models = fc.uniqueArray(
        fc.record({
          target: fc.constantFrom(...candidates),
          health: valuesOf(row, interesting('models')),
          lossless: fc.boolean(),
        }),
        { selector: ({ target }) => target, maxLength: listLengthMax },
      )
      this.#byPath.set('models', models)
    }
  }

  #detectors(): string[] {
    const read = this.#compiled.reads.flatMap((path) => /^data\.detectors\.([^.]+)/.exec(path)?.[1] ?? [])
    return [...new Set([...detectors, ...read])].sort()
  }

  /** What one path may be; from the author's choice, else from the schema. */
  #choice(path: string, choice: unknown): fc.Arbitrary<unknown> {
    if (Array.isArray(choice) && choice.length > 0) return fc.constantFrom(...choice)
    const { min, max } = Object(choice) as { min?: unknown; max?: unknown }
    const isRange = [min, max].every((each) => each === undefined || Number.isInteger(each))
    if (Array.isArray(choice) || !isRange || (min === undefined && max === undefined)) {
      throw new CaseError(`what "${path}" may be is a list of values, or { min, max } of whole numbers`)
    }
    const range = { min: Number(min ?? 0), max: Number(max ?? numberMax) }
    if (range.min > range.max) throw new CaseError(`"${path}" has a "min" above its "max"`)
    return fc.integer(range)
  }

  /** Facts as one document lays them over another: what is chosen always, all else now and then. */
  sets(choices: Readonly<Record<string, unknown>>): fc.Arbitrary<FactSet> {
    const chosen = Object.keys(choices)
    for (const path of chosen) {
      const keys = parsePath(path)
      const [first, second, name] = keys ?? []
      const isUndeclared =
        first === 'request' &&
        second === 'metadata' &&
        name !== undefined &&
        !Object.hasOwn(this.#compiled.metadata, name)
      if (keys !== undefined && isPathOf(Facts, keys) && !isUndeclared) continue
      throw new CaseError(`property.facts names ${path}, which is no path of the facts`)
    }
    const isAbove = (path: string): boolean => chosen.some((each) => each.startsWith(`${path}.`))
    const isBelow = (path: string): boolean => chosen.some((each) => path.startsWith(`${each}.`))
    const free = [...this.#byPath].filter(([path]) => !chosen.includes(path) && !isBelow(path))
    const needed = free.filter(([path]) => isAbove(path)).map(([path]) => path)
    const model = {
      ...Object.fromEntries(free),
      ...Object.fromEntries(chosen.map((path) => [path, this.#choice(path, choices[path])])),
    }
    return fc
      .record(model, { requiredKeys: [...needed, ...chosen] })
      .map((set) => Object.fromEntries(Object.entries(set).sort(([a], [b]) => a.length - b.length)))
  }
}
