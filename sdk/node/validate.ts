import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Static, TSchema } from 'typebox'
import { PlanNodeDefinition } from '../contract/plan.ts'

/** The only ajv instance: strict, all errors at once, defaults filled in. */
const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  addUsedSchema: false,
  // Compiling what checks schemas takes longer than most programs here run; a test checks them.
  meta: false,
  validateSchema: false,
})
ajv.addSchema(PlanNodeDefinition)
const compiled = new WeakMap<TSchema, ValidateFunction>()

/** One thing that is wrong with a value. `path` as its reader would write it: `rules[0].then`, empty for the root. */
export interface Violation {
  readonly path: string
  readonly message: string
}

/** Reports at most this many violations; one is enough to refuse. */
const violationsMax = 20

function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )
}

function messageOf(error: ErrorObject): string {
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const name = error.params.additionalProperty ?? error.params.unevaluatedProperty
    return `unknown member "${name}"`
  }
  if (error.keyword === 'enum') return `must be one of ${error.params.allowedValues.map(String).join(', ')}`
  if (error.keyword === 'const') return `must be ${JSON.stringify(error.params.allowedValue)}`
  if (error.keyword === 'required') return `needs the member "${error.params.missingProperty}"`
  return error.message ?? 'is not valid'
}

let metaSchema: ValidateFunction | undefined

/**
 * Compiles a schema that somebody else wrote.
 * @throws Error that says what is no JSON Schema (2020-12) in it.
 */
export function compileForeignSchema(schema: TSchema): ValidateFunction {
  metaSchema ??= new Ajv2020().getSchema('https://json-schema.org/draft/2020-12/schema')
  if (metaSchema?.(schema) === false) {
    throw new Error(`schema is invalid: ${ajv.errorsText(metaSchema.errors)}`)
  }
  return compileSchema(schema)
}

/** Compiles a schema of ours once; call at start, not per request. */
export function compileSchema(schema: TSchema): ValidateFunction {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const validate = ajv.compile(schema)
  compiled.set(schema, validate)
  return validate
}

/** All that is wrong with `value`, empty where it fits the schema. */
export function violationsOf(schema: TSchema, value: unknown): Violation[] {
  const validate = compileSchema(schema)
  if (validate(value)) return []
  const seen = new Set<string>()
  const violations: Violation[] = []
  for (const error of validate.errors ?? []) {
    if (error.keyword === 'anyOf' && (validate.errors?.length ?? 0) > 1) continue
    const violation = { path: pathOf(error.instancePath), message: messageOf(error) }
    const key = `${violation.path} ${violation.message}`
    if (seen.has(key) || violations.length >= violationsMax) continue
    seen.add(key)
    violations.push(violation)
  }
  return violations
}

/** Whether `value` fits; narrows its type. */
export function fits<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return compileSchema(schema)(value)
}

/** `a.b must be …; c needs …`, for one-line messages. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations
    .map((each) => (each.path === '' ? each.message : `${each.path} ${each.message}`))
    .join('; ')
}
