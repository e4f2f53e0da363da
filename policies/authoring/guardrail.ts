import type { InputFacts, OutputFacts } from './facts.ts'
import type { GuardrailScans, GuardrailStep, TextPart } from './guardrail-scans.ts'
import { Definition, type Rule } from './policy.ts'

export interface BlockAction {
  readonly block: { readonly code: string; readonly message?: string }
}
export interface RefuseAction {
  readonly refuse: { readonly code: string; readonly message: string; readonly as?: 'refusal' | 'text' }
}
/** What to take out of a text: what detectors found, or what lies between offsets of the text. */
export interface Redaction {
  /** Findings of these detectors; of all that the guardrail reads where it is left out. */
  readonly detectors?: readonly string[]
  /** Of these only these kinds. */
  readonly kinds?: readonly string[]
  /** Spans of one's own, in offsets of the text; then findings are taken only where they are named. */
  readonly spans?: readonly { readonly start: number; readonly end: number }[]
  /** What stands there instead; `[REDACTED]` if left out. `{kind}` stands for the kind of the finding. */
  readonly with?: string
  /** Of an input: where the answer repeats a placeholder, `[EMAIL_1]`, what was taken out is put back. */
  readonly reversible?: boolean
}
export interface RedactAction {
  readonly redact: { readonly code: string } & Redaction
}
export interface FlagAction {
  readonly flag: { readonly code: string; readonly annotate?: { readonly [key: string]: string } }
}
export type GuardrailAction = BlockAction | RefuseAction | RedactAction | FlagAction

/** The part of the text that a guardrail can read, in bytes of UTF-8; at most 8,192 together. */
export interface GuardrailWindow {
  readonly firstBytes?: number
  readonly lastBytes?: number
}
interface CommonOptions extends RunningOptions {
  readonly description?: string
  /** Detectors whose findings are looked at; needed only where that cannot be seen from the conditions. */
  readonly detectors?: readonly string[]
  readonly window?: GuardrailWindow
  /** What an exception in a rule does: `deny` makes the verdict an error, `continue` passes over the rule. */
  readonly onError?: 'deny' | 'continue'
}
/** How it is run. */
interface RunningOptions {
  /** How much it may do; `enforce` if left out. */
  readonly level?: 'shadow' | 'audit' | 'warn' | 'enforce'
  /** Parts of the conversation that it checks; all if left out. */
  readonly parts?: readonly TextPart[]
  /** How answers that come in pieces are checked. */
  readonly stream?: 'hold' | 'window' | 'post'
  /** Share of the calls that it checks, in parts per million. */
  readonly samplePpm?: number
  /** Time for scans that ask others, 5,000 ms if left out. */
  readonly timeoutMs?: number
  /** Scans of its own, by the name of their findings. */
  readonly scan?: GuardrailScans
}
interface RulesForm<F> {
  /** All are asked. Of what they say the strongest holds: `block`, `refuse`, `redact`, `flag`. */
  readonly rules: readonly Rule<GuardrailAction, F>[]
}
interface ShortForm<F> {
  readonly when: (f: F) => boolean
  readonly then: (f: F) => GuardrailAction | readonly GuardrailAction[]
}
/** Guardrails one after another; the verdict of each says whether the next is asked. */
interface PipelineForm {
  readonly pipeline: readonly GuardrailStep[]
}
export type InputGuardrailOptions = CommonOptions & { readonly direction: 'input' } & (
    | RulesForm<InputFacts>
    | ShortForm<InputFacts>
    | PipelineForm
  )
export type OutputGuardrailOptions = CommonOptions & { readonly direction: 'output' } & (
    | RulesForm<OutputFacts>
    | ShortForm<OutputFacts>
    | PipelineForm
  )
export type GuardrailOptions = InputGuardrailOptions | OutputGuardrailOptions
export type Guardrail = Definition<'guardrail', GuardrailOptions>

/** A check over the input or the output of a call. */
export function guardrail(id: string, options: GuardrailOptions): Guardrail {
  return new Definition('guardrail', id, options)
}

/** Stops the text with an error. The caller reads `code` and the message. */
export function block(code: string, options: { readonly message?: string } = {}): BlockAction {
  return { block: { code, ...options } }
}

/** Stops the text, and answers with this message as a model that declines would. */
export function refuse(
  code: string,
  message: string,
  options: { readonly as?: 'refusal' | 'text' } = {},
): RefuseAction {
  return { refuse: { code, message, ...options } }
}

/** Takes out what was found and lets the rest pass. */
export function redact(code: string, what: Redaction = {}): RedactAction {
  return { redact: { code, ...what } }
}

/** Lets the text pass and notes the finding, with notes for the record. */
export function flag(
  code: string,
  options: { readonly annotate?: { readonly [key: string]: string } } = {},
): FlagAction {
  return { flag: { code, ...options } }
}
