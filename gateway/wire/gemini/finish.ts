import type { Finish } from '../../call.ts'

/** Google's filters, by the name of what they found. */
const filtered = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'MODEL_ARMOR',
])
/** The model did not bring forth what it was to. */
const failed = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
])

const others = new Set(['OTHER', 'LANGUAGE', 'NO_IMAGE', 'IMAGE_OTHER'])

/** A `finishReason`; calls of functions end with STOP too. */
export function decodeFinish(reason: string, hasToolCalls: boolean): Finish {
  if (reason === 'STOP') return hasToolCalls ? 'toolCalls' : 'stop'
  if (reason === 'MAX_TOKENS') return 'length'
  if (filtered.has(reason)) return 'contentFilter'
  if (failed.has(reason)) return 'error'
  // Servers of this format have words of their own for it.
  return hasToolCalls && !others.has(reason) ? 'toolCalls' : 'other'
}

const reasons: Readonly<Record<Finish, string>> = {
  stop: 'STOP',
  toolCalls: 'STOP',
  length: 'MAX_TOKENS',
  contentFilter: 'SAFETY',
  error: 'OTHER',
  other: 'OTHER',
}

export function encodeFinish(finish: Finish): string {
  return reasons[finish]
}
