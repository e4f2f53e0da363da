import type { Finish, UsageCounts } from '../../call.ts'
import { asArray, asObject, type JsonObject } from '../json-value.ts'
import { encodeEnd } from './finish.ts'
import { encodeResponsesUsage } from './usage.ts'

/** What an answer says of itself while it comes. */
export interface ResponseHead {
  readonly id: string
  readonly model: string
  /** Seconds since 1970-01-01 UTC. */
  readonly createdS: number
}

/** Members of the request that the answer repeats, with what stands where the caller named none. */
const repeated: Readonly<Record<string, unknown>> = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
}

/**
 * A response object of a translated answer. It repeats the request as OpenAI's does; nothing is stored, and it says
 * so.
 */
export function responseObject(head: ResponseHead, request: JsonObject): Record<string, unknown> {
  const members: Record<string, unknown> = {}
  for (const name in repeated) members[name] = request[name] ?? repeated[name]
  return {
    id: head.id,
    object: 'response',
    created_at: head.createdS,
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    model: head.model,
    output: [],
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    usage: null,
    ...members,
    reasoning: { effort: null, summary: null, ...asObject(request.reasoning) },
    text: { format: { type: 'text' }, ...asObject(request.text) },
  }
}

export interface ResponseRest {
  readonly output: readonly unknown[]
  readonly finish: Finish
  readonly usage: UsageCounts
  readonly nowS: number
}

/** The same when the answer has ended. */
export function endedResponse(
  response: Record<string, unknown>,
  { output, finish, usage, nowS }: ResponseRest,
): Record<string, unknown> {
  const end = encodeEnd(finish, hasRefusal(output))
  return {
    ...response,
    ...end,
    completed_at: end.status === 'completed' ? nowS : null,
    output,
    usage: encodeResponsesUsage(usage),
  }
}

function hasRefusal(output: readonly unknown[]): boolean {
  return output.some((item) =>
    asArray(asObject(item)?.content).some((part) => asObject(part)?.type === 'refusal'),
  )
}
