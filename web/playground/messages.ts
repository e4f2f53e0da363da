import type { Vocabulary } from '@signalbox/policies/engine'
import type { CallRecord, Explanation, TryFilesReply } from '@signalbox/sdk'

export type Build = NonNullable<TryFilesReply['build']>

/** What the page asks of the worker. `load` comes before the first `run` and after every change. */
export type Question =
  | { readonly id: number; readonly kind: 'load'; readonly build: Build; readonly catalogue: unknown }
  | { readonly id: number; readonly kind: 'run'; readonly given: unknown; readonly params: ParamsOfCall }

export type ParamsOfCall = NonNullable<CallRecord['body']['params']>

/** What one evaluation gave. */
export interface TriedFacts {
  readonly explanation: Explanation
  /** As they were evaluated. */
  readonly facts: unknown
  /** Something was added to what was given. */
  readonly completed: boolean
  readonly decisionDigest: string
  /** Of the decision as canonical JSON. */
  readonly decisionJson: string
}

export type Reply =
  | { readonly id: number; readonly vocabulary: Vocabulary }
  | { readonly id: number; readonly tried: TriedFacts }
  | { readonly id: number; readonly failed: string }
