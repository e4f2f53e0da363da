import type { Call } from '../../call.ts'
import type { NativeOperation, NativeRequest } from '../../native-operation.ts'
import type { EncodeOptions } from '../../provider.ts'
import { estimateTokens } from '../estimate-tokens.ts'
import { openAiQuirks } from '../openai-chat/quirks.ts'
import { spliceResponsesRequest } from './splice-request.ts'
import { readResponsesUsage } from './usage.ts'

/** The received bytes under the upstream's name of the model; nothing that is only for an answer is set. */
function requestTo(path: string): (call: Call, options: EncodeOptions) => NativeRequest {
  return (call, { model, headers, fidelity }) => ({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    ...spliceResponsesRequest(
      call,
      { model, headers, caps: {}, ...(fidelity !== undefined && { fidelity }) },
      openAiQuirks,
    ),
  })
}

/**
 * Counts the tokens of a Responses request. OpenAI counts itself and asks nothing for it; for models of others the
 * count is an estimate that is made here, and says so. Source: API reference, Responses, input tokens.
 */
export const inputTokens: NativeOperation = {
  name: 'token counting',
  format: 'openai-responses',
  billing: 'free',
  answer: 'json',
  encode: requestTo('/responses/input_tokens'),
  readUsage: () => undefined,
  estimate: (call) => ({ object: 'response.input_tokens', input_tokens: estimateTokens(call) }),
}

/**
 * Makes a long conversation short, sealed for its vendor alone: no other can read it, so it is never translated.
 * Source: API reference, Responses, compact.
 */
export const compaction: NativeOperation = {
  name: 'compaction of conversations',
  format: 'openai-responses',
  billing: 'tokens',
  answer: 'json',
  encode: requestTo('/responses/compact'),
  readUsage: readResponsesUsage,
}

/** What a path below `/responses` asks for beside an answer. */
export function operationOf(url: string | undefined): NativeOperation | undefined {
  const path = url?.split('?', 1)[0] ?? ''
  if (path.endsWith('/responses/input_tokens')) return inputTokens
  return path.endsWith('/responses/compact') ? compaction : undefined
}
