import type { Finish } from '../../call.ts'

const finishes: Readonly<Record<string, Finish>> = {
  stop: 'stop',
  length: 'length',
  model_length: 'length',
  tool_calls: 'toolCalls',
  function_call: 'toolCalls',
  content_filter: 'contentFilter',
  error: 'error',
}

/** What models say through a router when the limit cut them, whatever the router makes of it. */
const nativeLengths = new Set<unknown>(['length', 'max_tokens', 'max_output_tokens', 'MAX_TOKENS'])

/**
 * What a finish reason means. A server that calls tools and says `stop` is taken at its deeds; OpenRouter
 * says `tool_calls` of a call that the limit cut, and the truth in `native_finish_reason`.
 */
export function decodeFinish(reason: string, hasToolCalls: boolean, native?: unknown): Finish {
  if (nativeLengths.has(native)) return 'length'
  const finish = finishes[reason] ?? 'other'
  return finish === 'stop' && hasToolCalls ? 'toolCalls' : finish
}

const reasons: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  toolCalls: 'tool_calls',
  contentFilter: 'content_filter',
  error: 'stop',
  other: 'stop',
}
export function encodeFinish(finish: Finish): string {
  return reasons[finish]
}
