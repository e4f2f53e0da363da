import type { Expression, ParamDeclaration } from '@signalbox/sdk/contract'
import type { Position } from './text-position.ts'

/*
 * The intermediate form under TypeScript and JSON: conditions as data, as far as they can be. Trace positions are
 * given to atoms from left to right.
 */
/** One atomic condition. */
export interface Atom {
  /** Null where it is code that only its author's file can say. */
  readonly expression: Expression | null
  /** As the author wrote it. */
  readonly text: string
  /** Paths of facts it reads; `*` for all. */
  readonly reads: readonly string[]
  readonly position?: Position
  /** Why it is code and no data. */
  readonly opaque?: string
}
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | Atom

export function atomsOf(condition: Condition): Atom[] {
  if ('all' in condition) return condition.all.flatMap(atomsOf)
  if ('any' in condition) return condition.any.flatMap(atomsOf)
  return 'not' in condition ? atomsOf(condition.not) : [condition]
}

/** What the compiler knows of the place of a rule, a policy or a guardrail; the script refers to it by key. */
export interface CompiledSite {
  readonly position: Position
  readonly idPosition: Position
  /** Where its `then` stands. */
  readonly thenPosition: Position
  readonly atoms: readonly Atom[]
  /** How the atoms are put together; null where nothing is asked, absent where that is not known. */
  readonly condition?: Condition | null
  /** Where its condition stands. */
  readonly whenPosition?: Position
  /** Facts read by condition and effects. */
  readonly reads: ReadonlySet<string>
  /** Some function may keep hold of a part of the facts. */
  readonly escapes: boolean
  /** Its functions cannot be called as they are, which was reported. */
  readonly unusable?: true
}

/** A file of a workspace, compiled to a module of the script. */
export interface CompiledModule {
  readonly file: string
  /** JavaScript or TypeScript that the bundler reads. */
  readonly code: string
  /** Source map of `code` to the file. */
  readonly map: string
  readonly sites: ReadonlyMap<string, CompiledSite>
  /** Workspace files it imports. */
  readonly imports: readonly string[]
  /** Params declared in it. */
  readonly params: ReadonlyMap<string, Position>
  /** Where its default export stands. */
  readonly defaultPosition: Position | undefined
}

/** Params that a JSON policy declares. */
export type Params = Readonly<Record<string, ParamDeclaration>>
export function siteKey(file: string, index: number): string {
  return `${file}:${index}`
}
