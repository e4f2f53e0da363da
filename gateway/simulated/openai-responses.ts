import { encodeSseEvent } from '../wire/sse.ts'
import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'
import { arrayAt, memberOf, numberOf, textOf } from './loose-json.ts'
import type { SimulatedFormat, Stamp } from './simulated-format.ts'

/** Text of a content or of a tool's output. */
function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => textOf(memberOf(part, 'text'))).join('')
}

function textOfItem(item: unknown): string {
  return textOfContent(memberOf(item, 'content') ?? memberOf(item, 'output'))
}

function imagesOf(item: unknown): number {
  const parts = [...arrayAt(item, 'content'), ...arrayAt(item, 'output')]
  return parts.filter((part) => memberOf(part, 'type') === 'input_image').length
}

function toolChoiceOf(choice: unknown): string {
  if (typeof choice === 'string') return choice
  return textOf(memberOf(choice, 'name')) || 'auto'
}

function outputSchemaOf(format: unknown): unknown {
  const type = memberOf(format, 'type')
  if (type === 'json_schema') return memberOf(format, 'schema') ?? true
  return type === 'json_object' ? true : undefined
}

function read(body: unknown): SimulatedRequest {
  const input = memberOf(body, 'input')
  const items = typeof input === 'string' ? [{ content: input }] : arrayAt(body, 'input')
  const texts = items.map(textOfItem)
  const tools = arrayAt(body, 'tools').filter((tool) => memberOf(tool, 'type') === 'function')
  return {
    model: textOf(memberOf(body, 'model')),
    lastText: texts.at(-1) ?? '',
    isToolResult: textOf(memberOf(items.at(-1), 'type')).endsWith('_output'),
    imageCount: items.reduce<number>((count, item) => count + imagesOf(item), 0),
    inputChars: texts.join('').length + textOfContent(memberOf(body, 'instructions')).length,
    tools: tools.map((tool) => ({
      name: textOf(memberOf(tool, 'name')),
      schema: memberOf(tool, 'parameters'),
    })),
    toolChoice: toolChoiceOf(memberOf(body, 'tool_choice') ?? 'auto'),
    outputSchema: outputSchemaOf(memberOf(memberOf(body, 'text'), 'format')),
    outputTokensMax: numberOf(memberOf(body, 'max_output_tokens')),
    choices: 1,
  }
}

function itemOf({ toolCall, pieces, finish }: SimulatedAnswer, stamp: Stamp): Record<string, unknown> {
  if (toolCall !== undefined) {
    return {
      id: `fc_${stamp.token}`,
      type: 'function_call',
      status: 'completed',
      arguments: toolCall.argumentsText,
      call_id: `call_${stamp.token}`,
      name: toolCall.name,
    }
  }
  return {
    id: `msg_${stamp.token}`,
    type: 'message',
    status: finish === 'length' ? 'incomplete' : 'completed',
    content: [partOf(pieces.join(''))],
    role: 'assistant',
  }
}

const partOf = (text: string): object => ({ type: 'output_text', annotations: [], logprobs: [], text })

/** The response object while it is made; `ended` gives it its end. */
function responseOf(request: SimulatedRequest, stamp: Stamp, body: unknown): Record<string, unknown> {
  const asked = (name: string, otherwise: unknown): unknown => memberOf(body, name) ?? otherwise
  return {
    id: `resp_${stamp.token}`,
    object: 'response',
    created_at: stamp.timeS,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: asked('instructions', null),
    max_output_tokens: asked('max_output_tokens', null),
    model: request.model,
    output: [],
    parallel_tool_calls: asked('parallel_tool_calls', true),
    previous_response_id: asked('previous_response_id', null),
    reasoning: asked('reasoning', { effort: null, summary: null }),
    service_tier: 'default',
    store: asked('store', true),
    temperature: asked('temperature', 1),
    text: asked('text', { format: { type: 'text' } }),
    tool_choice: asked('tool_choice', 'auto'),
    tools: asked('tools', []),
    top_p: asked('top_p', 1),
    truncation: asked('truncation', 'disabled'),
    usage: null,
    metadata: asked('metadata', {}),
  }
}

function ended(response: object, answer: SimulatedAnswer, stamp: Stamp): Record<string, unknown> {
  const { inputTokens, outputTokens, finish } = answer
  return {
    ...response,
    status: finish === 'length' ? 'incomplete' : 'completed',
    incomplete_details: finish === 'length' ? { reason: 'max_output_tokens' } : null,
    output: [itemOf(answer, stamp)],
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
  }
}

function whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): unknown {
  return ended(responseOf(request, stamp, body), answer, stamp)
}

type Event = readonly [type: string, members: object]

function textEvents(answer: SimulatedAnswer, item: Record<string, unknown>): Event[] {
  const place = { item_id: item.id, output_index: 0, content_index: 0 }
  const text = answer.pieces.join('')
  return [
    ['response.content_part.added', { ...place, part: partOf('') }],
    ...answer.pieces.map((delta): Event => ['response.output_text.delta', { ...place, delta, logprobs: [] }]),
    ['response.output_text.done', { ...place, text, logprobs: [] }],
    ['response.content_part.done', { ...place, part: partOf(text) }],
  ]
}

function callEvents(text: string, item: Record<string, unknown>): Event[] {
  const place = { item_id: item.id, output_index: 0 }
  return [
    ['response.function_call_arguments.delta', { ...place, delta: text }],
    ['response.function_call_arguments.done', { ...place, arguments: text }],
  ]
}

function stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): string[] {
  const response = responseOf(request, stamp, body)
  const item = itemOf(answer, stamp)
  const { toolCall } = answer
  const begun =
    toolCall === undefined
      ? { ...item, status: 'in_progress', content: [] }
      : { ...item, status: 'in_progress', arguments: '' }
  const last = ended(response, answer, stamp)
  const events: Event[] = [
    ['response.created', { response }],
    ['response.in_progress', { response }],
    ['response.output_item.added', { output_index: 0, item: begun }],
    ...(toolCall === undefined ? textEvents(answer, item) : callEvents(toolCall.argumentsText, item)),
    ['response.output_item.done', { output_index: 0, item }],
    [`response.${last.status}`, { response: last }],
  ]
  return events.map(([type, members], index) =>
    encodeSseEvent(type, { type, ...members, sequence_number: index }),
  )
}

export const openAiResponses: SimulatedFormat = { read, whole, stream }
