/** A model that a caller names to fall back to, and the member that names it. */
export interface WishedModel {
  readonly name: string
  readonly path: string
}
/**
 * What a caller wants of routing, in the words of any gateway whose clients are known. It narrows what the policies
 * leave, or puts it in another order; it never adds to it.
 */
export interface Wishes {
  /** After the model itself: part of what is asked for, which policies see as `request.model.targets`. */
  readonly models: readonly WishedModel[]
  /** Nothing else is to be tried after the first. */
  readonly alone: boolean
  /** Names of connections or providers. */
  readonly order: readonly string[] | undefined
  readonly only: readonly string[] | undefined
  readonly ignore: readonly string[] | undefined
  readonly sort: 'price' | 'latency' | 'throughput' | undefined
  /** Pico-dollars per token. */
  readonly inputPicoMax: number | undefined
  readonly outputPicoMax: number | undefined
  /** Only vendors that say they do not train on API calls; that keep nothing of them. */
  readonly noTraining: boolean
  readonly noRetention: boolean
  /** Nothing of the call may be lost on the way to a target. */
  readonly isStrict: boolean
  readonly sessionId: string | undefined
  /** Paths and headers of wishes that nobody here grants. */
  readonly ignored: readonly string[]
}
