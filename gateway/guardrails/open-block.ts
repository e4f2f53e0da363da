import type { CallNames } from '@signalbox/policies'
import type { partOf } from './block-border.ts'
import type { BlockWindow } from './block-window.ts'
import type { Citation } from './held-sources.ts'
import type { StreamGuard } from './stream-guard.ts'

/** The block of a stream that is open. */
export interface OpenBlock {
  readonly index: number
  readonly type: keyof typeof partOf
  readonly window: BlockWindow
  readonly guards: readonly StreamGuard[]
  /** Where it begins in the text of all blocks. */
  readonly offset: number
  readonly names: CallNames
  /** What may be the beginning of a placeholder. */
  tail: string
  /** Sources of it, told when all of it went out. */
  readonly citations: Citation[]
}
