import { encodeSseEvent } from '../wire/sse.ts'
import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'
import { arrayAt, memberOf, numberOf, textOf } from './loose-json.ts'
import type { SimulatedFormat, Stamp } from './simulated-format.ts'

const finishWord = { stop: 'end_turn', length: 'max_tokens', toolCall: 'tool_use' } as const

/** Text of a content, tool results included. */
function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((block) => textOf(memberOf(block, 'text')) || textOfContent(memberOf(block, 'content')))
    .join('')
}

function countImages(content: unknown): number {
  if (!Array.isArray(content)) return 0
  return content.reduce<number>(
    (count, block) =>
      count + (memberOf(block, 'type') === 'image' ? 1 : countImages(memberOf(block, 'content'))),
    0,
  )
}

function toolChoiceOf(choice: unknown): string {
  const type = memberOf(choice, 'type')
  if (type === 'any') return 'required'
  return type === 'tool' ? textOf(memberOf(choice, 'name')) : textOf(type) || 'auto'
}

function outputSchemaOf(body: unknown): unknown {
  const format = memberOf(memberOf(body, 'output_config'), 'format') ?? memberOf(body, 'output_format')
  return memberOf(format, 'type') === 'json_schema' ? (memberOf(format, 'schema') ?? true) : undefined
}

function read(body: unknown): SimulatedRequest {
  const messages = arrayAt(body, 'messages')
  const contents = messages.map((message) => memberOf(message, 'content'))
  const texts = contents.map(textOfContent)
  return {
    model: textOf(memberOf(body, 'model')),
    lastText: texts.at(-1) ?? '',
    isToolResult: arrayAt(messages.at(-1), 'content').some(
      (block) => memberOf(block, 'type') === 'tool_result',
    ),
    imageCount: contents.reduce<number>((count, content) => count + countImages(content), 0),
    inputChars: texts.join('').length + textOfContent(memberOf(body, 'system')).length,
    tools: arrayAt(body, 'tools').map((tool) => ({
      name: textOf(memberOf(tool, 'name')),
      schema: memberOf(tool, 'input_schema'),
    })),
    toolChoice: toolChoiceOf(memberOf(body, 'tool_choice')),
    outputSchema: outputSchemaOf(body),
    outputTokensMax: numberOf(memberOf(body, 'max_tokens')),
    choices: 1,
  }
}

function usageOf(inputTokens: number, outputTokens: number): unknown {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  }
}

function message(request: SimulatedRequest, stamp: Stamp, rest: object): object {
  return { id: `msg_${stamp.token}`, type: 'message', role: 'assistant', model: request.model, ...rest }
}

function whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): unknown {
  const { toolCall, pieces, finish, inputTokens, outputTokens } = answer
  const block =
    toolCall === undefined
      ? { type: 'text', text: pieces.join('') }
      : {
          type: 'tool_use',
          id: `toolu_${stamp.token}`,
          name: toolCall.name,
          input: JSON.parse(toolCall.argumentsText) as unknown,
        }
  return message(request, stamp, {
    content: [block],
    stop_reason: finishWord[finish],
    stop_sequence: null,
    usage: usageOf(inputTokens, outputTokens),
  })
}

function stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): string[] {
  const { toolCall, pieces, finish, inputTokens, outputTokens } = answer
  const event = (type: string, rest: object = {}): string => encodeSseEvent(type, { type, ...rest })
  const block =
    toolCall === undefined
      ? { type: 'text', text: '' }
      : { type: 'tool_use', id: `toolu_${stamp.token}`, name: toolCall.name, input: {} }
  const deltas =
    toolCall === undefined
      ? pieces.map((text) => ({ type: 'text_delta', text }))
      : [{ type: 'input_json_delta', partial_json: toolCall.argumentsText }]
  const opening = { content: [], stop_reason: null, stop_sequence: null, usage: usageOf(inputTokens, 1) }
  return [
    event('message_start', { message: message(request, stamp, opening) }),
    event('content_block_start', { index: 0, content_block: block }),
    event('ping'),
    ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: finishWord[finish], stop_sequence: null },
      usage: { output_tokens: outputTokens },
    }),
    event('message_stop'),
  ]
}

export const anthropicMessages: SimulatedFormat = { read, whole, stream }
