import type { GuardrailScanKind, GuardrailScanOptions } from '@signalbox/sdk/contract'
import type { Match, Scan } from '../detectors/detector.ts'

/** What of a text that still comes is held back, so that nothing of a match goes out before it is found. */
export interface StreamHold {
  /** Longest match, in UTF-16 units. */
  readonly chars: number
  /** A match may be longer where it is one run of characters without a space or a quote. */
  readonly run: boolean
}

/** What is known of a call beside its text. */
export interface CallNames {
  /** Model as it was asked for, and the targets that the plan may go to. */
  readonly models: readonly string[]
  /** Tools that are offered; of an answer those that are called. */
  readonly tools: readonly string[]
}

/** Scans a text, in time linear in its length. */
export type TextScan = (text: string, names: CallNames) => Scan<string>

/** A scan that was made ready. */
export interface ReadyScan {
  readonly scan: TextScan
  /** The text in a form that has no findings; undefined where there is none. */
  readonly repair?: (text: string) => string | undefined
}

/** One kind of scan. Pure: what asks others, the gateway does. One file per kind. */
export interface GuardrailKind<Kind extends GuardrailScanKind = GuardrailScanKind> {
  readonly kind: Kind
  /** What is wrong with options that fit the schema; undefined for nothing. */
  check(options: GuardrailScanOptions<Kind>): string | undefined
  /** How it can look at a text that still comes; undefined where it needs the whole. */
  hold(options: GuardrailScanOptions<Kind>): StreamHold | undefined
  /** Undefined where others are asked. */
  create?(options: GuardrailScanOptions<Kind>): ReadyScan
}

export const nothingFound: Scan<string> = { findings: [] }

/** A finding that is about a text as a whole. */
export const aboutAll = (kind: string, text: string): Match<string> => ({ kind, start: 0, end: text.length })
