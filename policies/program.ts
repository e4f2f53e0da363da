import type {
  CompiledWorkspace,
  Decision,
  ErrorCode,
  Facts,
  Locality,
  PolicyResult,
} from '@signalbox/sdk/contract'
import type { SandboxLimits } from './sandbox/limits.ts'

/** Limits of one evaluation of one workspace. Reaching one ends it as a failure of the policy, never of the host. */
export type EngineLimits = SandboxLimits

export type ParamValue = string | number | boolean
/** Hot values by workspace, then by param; what is missing or does not fit its declaration takes the default. */
export type ParamValues = Readonly<Record<string, Readonly<Record<string, ParamValue>>>>

/** A version of a workspace as a release carries it. */
export interface LoadedWorkspace {
  readonly digest: string
  readonly script: string
  readonly compiled: CompiledWorkspace
  /** Names from the root down to the owning node; empty for the root. */
  readonly nodePath: readonly string[]
}

/** What is known of a target beside the columns that change from call to call. Prices in pico-dollars per token. */
export interface ModelColumns {
  readonly target: string
  readonly connection: string
  readonly provider: string
  readonly locality: Locality
  readonly region?: string
  readonly tier: string
  readonly contextTokens?: number
  readonly inputPico?: number
  readonly outputPico?: number
}

export interface EvaluationInput {
  readonly facts: Facts
  readonly params: ParamValues
  /** Static columns of the candidates in `facts.models`, in the same order. */
  readonly models: readonly ModelColumns[]
  /** Indexes of the workspaces on the key's path; all if left out. */
  readonly layers?: readonly number[]
}

/** What the policies say of a call. Frozen: calls that are decided alike share the objects. */
export interface Evaluation {
  readonly decision: Decision
  /** The decision as canonical JSON, the text that its digest is of. */
  readonly decisionJson: string
  /** One row per policy of the layers: constraints root first, then routes in the order in which they are asked. */
  readonly policies: PolicyResult[]
  readonly fuel: number
  readonly evaluationUs: number
  readonly decisionDigest: string
  /** Set where our limits or a broken policy denied, and no rule did. */
  readonly failure?: { readonly code: ErrorCode; readonly policy: string; readonly message: string }
}

/** What a guardrail may know: findings of the detectors over a text, never the text. */
export interface GuardrailFacts {
  readonly schema: 'guardrail-facts/1'
  readonly direction: 'input' | 'output'
  readonly text: { readonly chars: number }
  readonly findings: Readonly<
    Record<
      string,
      { readonly hits: number; readonly kinds: readonly string[]; readonly scorePpm?: number } | undefined
    >
  >
  /** Detectors that failed; their findings are missing, not empty. */
  readonly detectorErrors: readonly string[]
  readonly metadata: Readonly<Record<string, ParamValue | undefined>>
}
export type GuardrailAction =
  | { readonly block: { readonly code: string; readonly message?: string } }
  | { readonly flag: { readonly code: string } }
export interface GuardrailEvaluation {
  readonly id: string
  readonly direction: 'input' | 'output'
  /** `fail`: the condition holds and `action` says what follows; `error`: it could not be said. */
  readonly verdict: 'pass' | 'fail' | 'error'
  readonly action?: GuardrailAction
  readonly error?: { readonly kind: string; readonly message: string }
  readonly trace: string
  readonly fuel: number
}

/** Compiled policies of the workspaces of one release in one environment. */
export interface Program {
  readonly environment: string
  /** Names of the workspaces, root first. */
  readonly workspaces: readonly string[]
  /** Targets that aliases and policies can name, at most 64: candidates beside what the caller asked for. */
  readonly candidates: readonly string[]
  /** Decides. Synchronous; never throws for what a policy does. */
  evaluate(input: EvaluationInput): Evaluation
  /** Runs one guardrail of a workspace over given findings. Throws a RangeError where there is no such guardrail. */
  screen(input: { layer: number; guardrail: string; facts: GuardrailFacts }): GuardrailEvaluation
  dispose(): void
}

export interface Engine {
  /** Digest of the engine's wasm; part of every version. */
  readonly digest: string
  /** Loads workspaces, root first. Throws where a script does not load or is not the one that `compiled` tells of. */
  load(workspaces: readonly LoadedWorkspace[], options: { environment: string }): Program
  dispose(): void
}
