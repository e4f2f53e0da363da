import { encodeSseEvent } from '../wire/sse.ts'
import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'
import { memberOf, numberOf, textOf } from './loose-json.ts'
import type { SimulatedFormat, Stamp } from './simulated-format.ts'

const choicesMax = 16

function read(body: unknown): SimulatedRequest {
  const prompt = memberOf(body, 'prompt')
  const text = Array.isArray(prompt) ? textOf(prompt.at(-1)) : textOf(prompt)
  return {
    model: textOf(memberOf(body, 'model')),
    lastText: text,
    isToolResult: false,
    imageCount: 0,
    inputChars: text.length,
    tools: [],
    toolChoice: 'none',
    outputSchema: undefined,
    outputTokensMax: numberOf(memberOf(body, 'max_tokens')),
    choices: Math.min(choicesMax, numberOf(memberOf(body, 'n')) ?? 1),
  }
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer, choices: number): unknown {
  const completion = outputTokens * choices
  return { prompt_tokens: inputTokens, completion_tokens: completion, total_tokens: inputTokens + completion }
}

function headOf({ model }: SimulatedRequest, { token, timeS }: Stamp): object {
  return { id: `cmpl-${token}`, object: 'text_completion', created: timeS, model }
}

const choice = (index: number, text: string, finish: string | null): unknown => ({
  text,
  index,
  logprobs: null,
  finish_reason: finish,
})

function whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): unknown {
  const text = answer.pieces.join('')
  const choices = Array.from({ length: request.choices }, (_, index) => choice(index, text, answer.finish))
  return { ...headOf(request, stamp), choices, usage: usageOf(answer, request.choices) }
}

function stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): string[] {
  const chunk = (choices: unknown[], rest: object = {}): string =>
    encodeSseEvent(undefined, { ...headOf(request, stamp), choices, ...rest })
  const all = (text: string, finish: string | null): string =>
    Array.from({ length: request.choices }, (_, index) => chunk([choice(index, text, finish)])).join('')
  const events = [...answer.pieces.map((piece) => all(piece, null)), all('', answer.finish)]
  if (memberOf(memberOf(body, 'stream_options'), 'include_usage') === true) {
    events.push(chunk([], { usage: usageOf(answer, request.choices) }))
  }
  return [...events, encodeSseEvent(undefined, '[DONE]')]
}

/** Legacy completions, as OpenAI sends them. */
export const openAiCompletions: SimulatedFormat = { read, whole, stream }
