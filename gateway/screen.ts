import type { Delta, Reply } from './call.ts'
import type { StreamText } from './guardrails/stream-text.ts'
import type { Stop } from './guardrails/verdict-log.ts'

/**
 * What stands between meter and encoder, where guardrails look at an answer. `deltas` may hold text back and give it
 * later; an answer that passes through byte for byte is looked at, not changed.
 */
export interface Screen {
  /** Holds back or changes what it is shown: the answer is read and written again, in its own format too. */
  readonly active?: boolean
  /** Where a stream that passes through is put together for those who only look. */
  readonly seen?: StreamText
  /** Set when nothing more may go out. */
  readonly stop?: Stop | undefined
  /** The stop was said in the answer's own words: only its ending is missing. */
  readonly ended?: boolean
  deltas(deltas: readonly Delta[]): readonly Delta[]
  /** Nothing more comes: what was held and may go out. */
  flush(): readonly Delta[]
  reply(reply: Reply): Reply
}

/** The screen of a call that no guardrail looks at. */
export const openScreen: Screen = {
  deltas: (deltas) => deltas,
  flush: () => [],
  reply: (reply) => reply,
}
