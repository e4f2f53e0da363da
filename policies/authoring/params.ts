export type ParamDeclaration =
  | { readonly type: 'int'; readonly default: number; readonly min?: number; readonly max?: number }
  | { readonly type: 'bool'; readonly default: boolean }
  | { readonly type: 'string'; readonly default: string; readonly enum?: readonly string[] }
type OptionsOf<Type extends string> = Omit<Extract<ParamDeclaration, { readonly type: Type }>, 'type'>

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

/**
 * Hot values: they change without a new version. Each gives a function that reads the value of the call at hand;
 * call it inside `when` or `then`.
 */
export const param = {
  /** A whole number. */
  int: (name: string, options: OptionsOf<'int'>): (() => number) =>
    declare(name, { type: 'int', ...options }),
  bool: (name: string, options: OptionsOf<'bool'>): (() => boolean) =>
    declare(name, { type: 'bool', ...options }),
  string: (name: string, options: OptionsOf<'string'>): (() => string) =>
    declare(name, { type: 'string', ...options }),
} as const
