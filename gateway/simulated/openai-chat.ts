import { encodeSseEvent } from '../wire/sse.ts'
import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'
import { arrayAt, memberOf, numberOf, textOf } from './loose-json.ts'
import type { SimulatedFormat, Stamp } from './simulated-format.ts'

const choicesMax = 16
const finishWord = { stop: 'stop', length: 'length', toolCall: 'tool_calls' } as const

function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => textOf(memberOf(part, 'text'))).join('')
}

function toolChoiceOf(choice: unknown): string {
  if (typeof choice === 'string') return choice
  return textOf(memberOf(memberOf(choice, 'function'), 'name')) || 'auto'
}

function outputSchemaOf(format: unknown): unknown {
  const type = memberOf(format, 'type')
  if (type === 'json_schema') return memberOf(memberOf(format, 'json_schema'), 'schema') ?? true
  return type === 'json_object' ? true : undefined
}

function read(body: unknown): SimulatedRequest {
  const messages = arrayAt(body, 'messages')
  const last = messages.at(-1)
  const texts = messages.map((message) => textOfContent(memberOf(message, 'content')))
  const imageCount = messages
    .flatMap((message) => arrayAt(message, 'content'))
    .filter((part) => memberOf(part, 'type') === 'image_url').length
  return {
    model: textOf(memberOf(body, 'model')),
    lastText: texts.at(-1) ?? '',
    isToolResult: memberOf(last, 'role') === 'tool',
    imageCount,
    inputChars: texts.join('').length,
    tools: arrayAt(body, 'tools').map((tool) => ({
      name: textOf(memberOf(memberOf(tool, 'function'), 'name')),
      schema: memberOf(memberOf(tool, 'function'), 'parameters'),
    })),
    toolChoice: toolChoiceOf(memberOf(body, 'tool_choice') ?? 'auto'),
    outputSchema: outputSchemaOf(memberOf(body, 'response_format')),
    outputTokensMax: numberOf(memberOf(body, 'max_completion_tokens') ?? memberOf(body, 'max_tokens')),
    choices: Math.min(choicesMax, numberOf(memberOf(body, 'n')) ?? 1),
  }
}

function usageOf({ inputTokens, outputTokens: ofOne }: SimulatedAnswer, choices: number): unknown {
  const outputTokens = ofOne * choices
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  }
}

function toolCallsOf(answer: SimulatedAnswer, stamp: Stamp): unknown[] | undefined {
  if (answer.toolCall === undefined) return undefined
  const { name, argumentsText } = answer.toolCall
  return [{ id: `call_${stamp.token}`, type: 'function', function: { name, arguments: argumentsText } }]
}

function whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): unknown {
  const toolCalls = toolCallsOf(answer, stamp)
  const message = {
    role: 'assistant',
    content: toolCalls === undefined ? answer.pieces.join('') : null,
    refusal: null,
    ...(toolCalls !== undefined && { tool_calls: toolCalls }),
  }
  return {
    id: `chatcmpl-${stamp.token}`,
    object: 'chat.completion',
    created: stamp.timeS,
    model: request.model,
    choices: Array.from({ length: request.choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishWord[answer.finish],
    })),
    usage: usageOf(answer, request.choices),
    system_fingerprint: null,
  }
}

function stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): string[] {
  const chunk = (choices: unknown[], rest: object = {}): string =>
    encodeSseEvent(undefined, {
      id: `chatcmpl-${stamp.token}`,
      object: 'chat.completion.chunk',
      created: stamp.timeS,
      model: request.model,
      choices,
      ...rest,
    })
  const delta = (value: object, finish: string | null = null): string =>
    Array.from({ length: request.choices }, (_, index) =>
      chunk([{ index, delta: value, logprobs: null, finish_reason: finish }]),
    ).join('')
  const events = [
    delta({ role: 'assistant', content: answer.toolCall === undefined ? '' : null, refusal: null }),
  ]
  for (const piece of answer.pieces) events.push(delta({ content: piece }))
  if (answer.toolCall !== undefined) {
    const { name, argumentsText } = answer.toolCall
    const opening = {
      index: 0,
      id: `call_${stamp.token}`,
      type: 'function',
      function: { name, arguments: '' },
    }
    events.push(delta({ tool_calls: [opening] }))
    for (const part of halves(argumentsText)) {
      events.push(delta({ tool_calls: [{ index: 0, function: { arguments: part } }] }))
    }
  }
  events.push(delta({}, finishWord[answer.finish]))
  if (memberOf(memberOf(body, 'stream_options'), 'include_usage') === true) {
    events.push(chunk([], { usage: usageOf(answer, request.choices) }))
  }
  events.push(encodeSseEvent(undefined, '[DONE]'))
  return events
}

function halves(text: string): string[] {
  const middle = text.length >> 1
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== '')
}

export const openAiChat: SimulatedFormat = { read, whole, stream }
