/** What a `tests/**\/*.test.ts` of a workspace imports as `@signalbox/policies/test`. Runs inside the sandbox only. */
import type { Facts, Model } from './facts.ts'
import type { PlanNode } from './plan-node.ts'

type Scalar = string | number | boolean
type PathsOf<T, Prefix extends string = ''> = {
  [K in keyof T & string]-?: NonNullable<T[K]> extends Scalar | readonly unknown[]
    ? `${Prefix}${K}`
    : `${Prefix}${K}` | PathsOf<NonNullable<T[K]>, `${Prefix}${K}.`>
}[keyof T & string]
type ValueAt<T, Path extends string> = Path extends `${infer Name}.${infer Rest}`
  ? Name extends keyof T
    ? ValueAt<NonNullable<T[Name]>, Rest>
    : unknown
  : Path extends keyof T
    ? NonNullable<T[Path]>
    : unknown

/** A dotted path into the facts: `request.metadata.tier`. */
export type FactPath = PathsOf<Facts>
/** Facts that differ from the usual ones; `null` takes one away. */
export type FactsOver = { readonly [Path in FactPath]?: ValueAt<Facts, Path> | null }
/** Numbers from `min` to `max`, both included. */
export interface NumberRange {
  readonly min?: number
  readonly max?: number
}
type Choice<Value> = readonly (Value | null)[] | (Value extends number ? NumberRange : never)
/** What a property varies over: by path the values it may take, or a range of numbers. */
export type FactChoices = { readonly [Path in FactPath]?: Choice<ValueAt<Facts, Path>> }

/** Facts as a test holds them. */
export interface GivenFacts extends Facts {
  /** A candidate with all its columns. Throws where the call has no such candidate. */
  model(target: string): Model
}

/** What became of one policy. */
export interface PolicyVerdict {
  readonly id: string
  readonly kind: 'constraint' | 'route'
  readonly rule: string | null
  readonly outcome:
    | 'denied'
    | 'narrowed'
    | 'chosen'
    | 'continued'
    | 'noEffect'
    | 'notApplicable'
    | 'notReached'
    | 'failed'
  readonly error?: { readonly kind: string; readonly message: string }
}
/** What the policies decided. */
export interface Verdict {
  readonly effect: 'allow' | 'deny'
  readonly reasons: readonly {
    readonly code: string
    readonly policy: string
    readonly rule: string
    readonly http?: number
    readonly audience: 'caller' | 'operator'
    readonly message?: string
  }[]
  readonly plan?: PlanNode
  /** Every target in the plan, from left to right, each once; none where the call is denied. */
  readonly targets: readonly string[]
  readonly caps: { readonly maxOutputTokens?: number; readonly costNanoUsd?: number }
  readonly guardrails: {
    readonly input: readonly { readonly id: string; readonly onError: 'block' | 'pass' }[]
    readonly output: readonly { readonly id: string; readonly onError: 'block' | 'pass' }[]
  }
  readonly variant?: { readonly rollout: string; readonly name: string }
  readonly annotations: { readonly [name: string]: string }
  /** Of one policy that was asked alone: the rule that matched. */
  readonly rule: string | null
  /** One row per policy; of one that was asked alone, its own. */
  readonly policies: readonly PolicyVerdict[]
}

export interface EvalOptions {
  readonly params?: { readonly [name: string]: Scalar }
  /** Whose overrides hold; `development` if left out. */
  readonly environment?: string
  /** Makes all rules of the policy throw, or the one named. */
  readonly throw?: true | string
}
/** Facts that the runner makes up, each run others. */
export interface FactsArbitrary {
  readonly choices: { readonly [path: string]: unknown }
  readonly base?: string
}
export interface PropertyOptions {
  /** How many facts are tried; 200 if left out, at most 100,000. */
  readonly runs?: number
}
/** Passes unless it gives `false` or throws. */
export type Body = (f: GivenFacts) => boolean | undefined
export interface Suite {
  /** Something that has to hold for all facts of a kind. */
  property(name: string, over: FactsArbitrary, body: Body, options?: PropertyOptions): void
  /** Something that has to hold once. */
  test(name: string, body: () => boolean | undefined): void
}

interface Registered {
  readonly suite: string
  readonly name: string
  readonly over: FactsArbitrary | null
  readonly runs: number | null
  readonly body: Body
}
/** What the runner inside the sandbox needs: what was registered, and the questions of the body that runs. */
export const registered: Registered[] = []
export const questions: {
  /** Answers the host has given, in the order in which a body asked. */
  answers: readonly { readonly question: string; readonly answer: unknown; readonly problem?: string }[]
  asked: number
  /** The first question without an answer. */
  open: string | undefined
  /** The facts of the property's run. */
  given: unknown
} = { answers: [], asked: 0, open: undefined, given: undefined }

/** The host's answer. Without one the body ends here, and runs again from its start once the host has answered. */
function ask(question: object): unknown {
  const text = JSON.stringify(question)
  const known = questions.open === undefined ? questions.answers[questions.asked++] : undefined
  if (known === undefined || known.question !== text) {
    questions.open ??= text
    throw new Error('the body waits for an answer')
  }
  if (known.problem !== undefined) throw new Error(known.problem)
  return known.answer
}

/** The facts with the lookup of candidates, which JSON cannot carry. */
export function withModel(document: object): GivenFacts {
  const facts = document as GivenFacts
  const model = (target: string): Model => {
    const found = facts.models.find((each) => each.target === target)
    if (found === undefined) throw new Error(`the call has no candidate "${target}"`)
    return found
  }
  Object.defineProperty(facts, 'model', { value: model })
  deepFreeze(facts)
  return facts
}

/** Facts stay what they were, so that the host need not be told of them again. */
function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
}

/** Facts to ask policies about: those of a short chat, or `under`, with what is given laid over them. */
export function facts(over: FactsOver = {}, under?: GivenFacts): GivenFacts {
  const question = under === undefined ? { facts: over } : { facts: over, under: handed(under) }
  return withModel(ask(question) as object)
}

function handed(f: GivenFacts): unknown {
  return f === questions.given ? 'given' : f
}

/** Asks one policy alone by its id, or all together (`'bundle:all'`), in the engine that gateways run. */
export function evalPolicy(policy: string, f: GivenFacts, options: EvalOptions = {}): Verdict {
  return ask({ policy, f: handed(f), options }) as Verdict
}

/** Makers of what properties vary over. */
export const property = {
  /**
   * Facts of calls, varied in everything a policy may read. What is named here takes only these values; `base` is
   * a fixture that the facts start from.
   */
  facts: (choices: FactChoices = {}, options: { readonly base?: string } = {}): FactsArbitrary => ({
    choices,
    ...options,
  }),
} as const

/** Fails the test with a message unless the condition holds. */
export function assert(condition: boolean, message = 'expected this to hold'): asserts condition {
  if (!condition) throw new Error(message)
}

/** Fails the test unless both have the same JSON. */
export function equal(actual: unknown, expected: unknown, what = 'the value'): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, got ${found}`)
}

/** Registers tests under one name. */
export function suite(name: string, define: (t: Suite) => void): void {
  define({
    property: (test, over, body, { runs } = {}) =>
      registered.push({ suite: name, name: test, over, runs: runs ?? null, body }),
    test: (test, body) => registered.push({ suite: name, name: test, over: null, runs: null, body }),
  })
}
