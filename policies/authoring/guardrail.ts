import type { InputFacts, OutputFacts } from './facts.ts'
import { Definition, type Rule } from './policy.ts'

export interface BlockAction {
  readonly block: { readonly code: string; readonly message?: string }
}
export interface RefuseAction {
  readonly refuse: { readonly code: string; readonly message: string }
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
interface CommonOptions {
  readonly description?: string
  /** Detectors whose findings are looked at; needed only where that cannot be seen from the conditions. */
  readonly detectors?: readonly string[]
  readonly window?: GuardrailWindow
  /** What an exception in a rule does: `deny` makes the verdict an error, `continue` passes over the rule. */
  readonly onError?: 'deny' | 'continue'
}
interface RulesForm<F> {
  /** All are asked. Of what they say the strongest holds: `block`, `refuse`, `redact`, `flag`. */
  readonly rules: readonly Rule<GuardrailAction, F>[]
}
interface ShortForm<F> {
  readonly when: (f: F) => boolean
  readonly then: (f: F) => GuardrailAction | readonly GuardrailAction[]
}
export type InputGuardrailOptions = CommonOptions & { readonly direction: 'input' } & (
    | RulesForm<InputFacts>
    | ShortForm<InputFacts>
  )
export type OutputGuardrailOptions = CommonOptions & { readonly direction: 'output' } & (
    | RulesForm<OutputFacts>
    | ShortForm<OutputFacts>
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
export function refuse(code: string, message: string): RefuseAction {
  return { refuse: { code, message } }
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
