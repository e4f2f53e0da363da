import type { Delta, Reply } from './call.ts'

/**
 * What stands between meter and encoder, where guardrails look at an answer. `deltas` may hold text back and give it
 * later; an answer that passes through byte for byte is looked at, not changed.
 */
export interface Screen {
  deltas(deltas: readonly Delta[]): readonly Delta[]
  reply(reply: Reply): Reply
}

/** The screen of a call that no guardrail looks at. */
export const openScreen: Screen = {
  deltas: (deltas) => deltas,
  reply: (reply) => reply,
}
