type Declarations = {
  int: { readonly default: number; readonly min?: number; readonly max?: number }
  ppm: { readonly default: number; readonly min?: number; readonly max?: number }
  bool: { readonly default: boolean }
  string: { readonly default: string; readonly enum?: readonly string[] }
  stringList: {
    readonly default: readonly string[]
    readonly enum?: readonly string[]
    readonly maxItems?: number
  }
}
type ParamType = keyof Declarations
export type ParamDeclaration = {
  [Type in ParamType]: { readonly type: Type } & Declarations[Type]
}[ParamType]

/** What the runtime knows of params: declarations in order, the values of this call, and how often one was read. */
export const registry: {
  readonly declared: { readonly name: string; readonly declaration: ParamDeclaration }[]
  values: Readonly<Record<string, unknown>>
  reads: number
} = { declared: [], values: {}, reads: 0 }

/** The value of a param in this call. */
export function paramValue(name: string): unknown {
  registry.reads++
  return registry.values[name]
}

function declare<Value>(name: string, declaration: ParamDeclaration): () => Value {
  registry.declared.push({ name, declaration })
  // The host checks values against the declaration before it hands them over.
  return () => paramValue(name) as Value
}

interface StringOptions<Value extends string> {
  readonly default: NoInfer<Value>
  readonly enum: readonly Value[]
}
interface ListOptions<Value extends string> {
  readonly default: readonly NoInfer<Value>[]
  readonly enum: readonly Value[]
  readonly maxItems?: number
}

/** One of the values of `enum`, or any text where there is none. */
function text<const Value extends string>(name: string, options: StringOptions<Value>): () => Value
function text(name: string, options: Omit<Declarations['string'], 'enum'>): () => string
function text(name: string, options: Declarations['string']): () => string {
  return declare(name, { type: 'string', ...options })
}

/** A list of texts, each one of the values of `enum` where there is one. */
function textList<const Value extends string>(
  name: string,
  options: ListOptions<Value>,
): () => readonly Value[]
function textList(name: string, options: Omit<Declarations['stringList'], 'enum'>): () => readonly string[]
function textList(name: string, options: Declarations['stringList']): () => readonly string[] {
  return declare(name, { type: 'stringList', ...options })
}

/**
 * Hot values: they change without a new version. Each gives a function that reads the value of the call at hand;
 * call it inside `when` or `then`.
 */
export const param = {
  /** A whole number. */
  int: (name: string, options: Declarations['int']): (() => number) =>
    declare(name, { type: 'int', ...options }),
  /** A share in parts per million, 0 to 1,000,000. */
  ppm: (name: string, options: Declarations['ppm']): (() => number) =>
    declare(name, { type: 'ppm', ...options }),
  bool: (name: string, options: Declarations['bool']): (() => boolean) =>
    declare(name, { type: 'bool', ...options }),
  string: text,
  stringList: textList,
} as const
