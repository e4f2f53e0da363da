import type { CompiledWorkspace, ParamDeclaration } from '@signalbox/sdk/contract'
import type { ParamValue, ParamValues } from '../program.ts'

const listItemsMax = 64
export type ParamDeclarations = Readonly<Record<string, ParamDeclaration>>

/** All params of a workspace. The compiler made sure that one name has one declaration. */
export function paramsOf(compiled: CompiledWorkspace): ParamDeclarations {
  const declaring = [...compiled.policies, ...compiled.guardrails]
  return Object.fromEntries(declaring.flatMap(({ params = {} }) => Object.entries(params)))
}

function fitsList(
  { enum: allowed, maxItems = listItemsMax }: Extract<ParamDeclaration, { type: 'stringList' }>,
  value: unknown,
): boolean {
  if (!Array.isArray(value) || value.length > maxItems) return false
  return value.every((item) => typeof item === 'string' && (allowed === undefined || allowed.includes(item)))
}

/** Whether a value can stand for a param. */
export function fitsParam(declaration: ParamDeclaration, value: unknown): value is ParamValue {
  if (declaration.type === 'bool') return typeof value === 'boolean'
  if (declaration.type === 'string') {
    return typeof value === 'string' && (declaration.enum === undefined || declaration.enum.includes(value))
  }
  if (declaration.type === 'stringList') return fitsList(declaration, value)
  const [least, most] =
    declaration.type === 'ppm' ? [0, 1_000_000] : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  const { min = least, max = most } = declaration
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
}

/**
 * Makes the function that gives the params of a workspace as JSON: hot values over those of the environment over
 * defaults. A value that does not fit its declaration counts as not given: the control plane refuses such a value,
 * and a stale one must not break a call. Hot values are the same object from call to call, so the text is kept.
 */
export function compileParams(
  compiled: CompiledWorkspace,
  environment: string,
): (values: ParamValues) => string {
  const declarations = Object.entries(paramsOf(compiled))
  const ofEnvironment = compiled.environments[environment]?.params ?? {}
  const known = new WeakMap<object, string>()
  if (declarations.length === 0) return () => '{}'

  const textOf = (values: Readonly<Record<string, unknown>>): string => {
    const chosen = declarations.map(([name, declaration]) => {
      const own = Object.hasOwn(values, name) ? values[name] : undefined
      const candidates = [own, ofEnvironment[name]]
      const value = candidates.find((each) => fitsParam(declaration, each))
      return [name, value ?? declaration.default]
    })
    return JSON.stringify(Object.fromEntries(chosen))
  }
  return (values) => {
    const own = values[compiled.name] ?? {}
    const text = known.get(own) ?? textOf(own)
    known.set(own, text)
    return text
  }
}
