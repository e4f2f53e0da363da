/** What the journal's worker thread is started with. */
export interface JournalWorkerSettings {
  /** Holds one folder for each incarnation. */
  readonly folder: string
  readonly incarnation: string
  /** Origin of the control plane, and the gateway's token. */
  readonly url: string
  readonly token: string
  /** Path of the operation that takes segments, with `:digest`, and how many records one may have. */
  readonly path: string
  readonly segmentRecordsMax: number
  /** Segments on the disk may take this much; older ones make room. */
  readonly outboxBytesMax: number
  /** A record waits at most this long for others to share its segment. */
  readonly sealAfterMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}

/** So far a raw file is written; there may be more of it that is not whole. */
export interface Written {
  readonly file: number
  readonly end: number
}

export type ToWorker =
  | { readonly type: 'written'; readonly written: readonly Written[] }
  /** Seal and send what is here, but not for longer than this. */
  | { readonly type: 'close'; readonly withinMs: number }

/** How far the worker is, and what it had to give up. */
export interface JournalProgress {
  /** Everything before this place is in segments. */
  readonly sealed: Written
  readonly outboxBytes: number
  readonly outboxSegments: number
  readonly uploadedRecords: number
  readonly uploadedSegments: number
  readonly uploadFailures: number
  /** Records that made room for newer ones. */
  readonly overflowRecords: number
  /** Records that the control plane would not take. */
  readonly refusedRecords: number
}

export type FromWorker =
  | { readonly type: 'progress'; readonly progress: JournalProgress }
  | { readonly type: 'closed'; readonly progress: JournalProgress }
  | {
      readonly type: 'log'
      readonly level: 'error' | 'warn' | 'info'
      readonly message: string
      readonly detail: Readonly<Record<string, string | number>>
    }
