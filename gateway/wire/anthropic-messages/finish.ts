import type { Finish } from '../../call.ts'

const finishes: Readonly<Record<string, Finish>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'toolCalls',
  refusal: 'contentFilter',
}
export function decodeStopReason(reason: string): Finish {
  return finishes[reason] ?? 'other'
}

const reasons: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  toolCalls: 'tool_use',
  contentFilter: 'refusal',
  error: 'end_turn',
  other: 'end_turn',
}

export interface Stop {
  readonly stop_reason: string
  readonly stop_sequence: string | null
  readonly stop_details: unknown
}

/** How an answer ended, as Messages says it. A text that is a refusal makes the whole answer one. */
export function encodeStop(end: {
  finish: Finish
  stopSequence?: string | undefined
  refused: boolean
}): Stop {
  if (end.finish === 'stop' && end.stopSequence !== undefined) {
    return { stop_reason: 'stop_sequence', stop_sequence: end.stopSequence, stop_details: null }
  }
  const reason = end.refused && end.finish === 'stop' ? 'refusal' : reasons[end.finish]
  const isRefusal = reason === 'refusal'
  return {
    stop_reason: reason,
    stop_sequence: null,
    stop_details: isRefusal ? { type: 'refusal', category: null, explanation: null } : null,
  }
}
