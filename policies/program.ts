import type {
  CompiledWorkspace,
  Decision,
  ErrorCode,
  Facts,
  GuardrailAction,
  GuardrailFacts,
  Locality,
  PlanFeature,
  PolicyResult,
} from '@signalbox/sdk/contract'
import type { LayerGuardrail, LayerPolicy } from './evaluation/layer.ts'
import type { PolicyOutcome } from './evaluation/outcomes.ts'
import type { SandboxLimits } from './sandbox/limits.ts'

/** Limits of one evaluation of one workspace. Reaching one ends it as a failure of the policy, never of the host. */
export type EngineLimits = SandboxLimits

export type ParamValue = string | number | boolean | readonly string[]
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

/** What tests ask beside a call. */
export interface InspectionInput extends EvaluationInput {
  /** The one policy that is asked; all if left out. */
  readonly only?: string
  /** Rules of a policy that throw instead of being asked: for cases that look at its `onError`. */
  readonly breaks?: { readonly policy: string; readonly rules: readonly string[] }
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

/** What whoever looks into policies sees beside what decides a call: explanations, tests, coverage. */
export interface InspectedEvaluation extends Evaluation {
  /** What each policy that was asked said, rule by rule, before all were combined. */
  readonly outcomes: readonly PolicyOutcome[]
}

/** A rule of a guardrail that held, and one thing it says. */
export interface SaidByGuardrail {
  readonly rule: string
  readonly action: GuardrailAction
}
export interface GuardrailEvaluation {
  readonly id: string
  readonly direction: 'input' | 'output'
  /** `fail`: some rule holds and `action` says what follows; `error`: it could not be said. */
  readonly verdict: 'pass' | 'fail' | 'error'
  /** The strongest of what its rules say: `block`, `refuse`, `redact`, `flag`. */
  readonly action?: GuardrailAction
  /** The rule that said it, or that broke. */
  readonly rule?: string
  /** Its code. */
  readonly code?: string
  /** All that its rules say, the strongest first; redactions add up. */
  readonly said: readonly SaidByGuardrail[]
  readonly error?: { readonly kind: string; readonly message: string }
  /** Rules that threw, whatever came of it; missing where none did. */
  readonly threw?: readonly string[]
  readonly trace: string
  readonly fuel: number
}
export interface ScreenInput {
  /** Index of the workspace in the program. */
  readonly layer: number
  readonly guardrail: string
  /** As `guardrailFactsOf` builds them; a guardrail that misses one breaks. */
  readonly facts: Partial<GuardrailFacts>
  readonly params?: ParamValues
  /** Rules that throw instead of being asked: for cases that look at their `onError`. */
  readonly breaks?: readonly string[]
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
  /** All policies as they are asked, with what their rules always say. */
  readonly policies: readonly LayerPolicy[]
  /** All guardrails, with what their rules always say. */
  readonly guardrails: readonly LayerGuardrail[]
  /** `evaluate` with what each policy said; for explanations and tests, not for the way of a call. */
  inspect(input: InspectionInput): InspectedEvaluation
  /** Runs one guardrail of a workspace over given findings. Throws a RangeError where there is no such guardrail. */
  screen(input: ScreenInput): GuardrailEvaluation
  dispose(): void
}

/** A program whose parts can be put together anew. */
export interface LoadedProgram extends Program {
  /**
   * Some of the loaded workspaces, root first, by their indexes, without the policies that are named. Cheap: nothing is
   * loaded again, and answers that are known are shared where all policies are asked.
   */
  view(workspaces: readonly number[], without?: readonly SwitchedOff[]): Program
}
/** A policy that is not asked. */
export interface SwitchedOff {
  readonly workspace: string
  readonly policy: string
}

export interface LoadOptions {
  readonly environment: string
  /** What plans may ask for; what the gateway can carry out if left out. Cases also know what it cannot yet. */
  readonly features?: readonly PlanFeature[]
}

export interface Engine {
  /** Digest of the engine's wasm; part of every version. */
  readonly digest: string
  /** Loads workspaces, root first. Throws where a script does not load or is not the one that `compiled` tells of. */
  load(workspaces: readonly LoadedWorkspace[], options: LoadOptions): LoadedProgram
  /** The same while calls go on: scripts are loaded in a thread of their own, and this one only takes the images. */
  loadApart(workspaces: readonly LoadedWorkspace[], options: LoadOptions): Promise<LoadedProgram>
  dispose(): void
}
