import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'

/** What a caller of an official client gets to see of an answer. */
export interface Seen {
  readonly text: string
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[]
  readonly finish: unknown
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
}

/** A fetch that answers everything with the given text, in pieces of `pieceBytes`. */
function answerWith(text: string, contentType: string, pieceBytes = 1000): typeof fetch {
  const bytes = Buffer.from(text)
  return async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += pieceBytes)
          controller.enqueue(bytes.subarray(at, at + pieceBytes))
        controller.close()
      },
    })
    return new Response(body, { status: 200, headers: { 'content-type': contentType } })
  }
}

const question = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] }

/** The official OpenAI client reads a stream. */
export async function streamToOpenAi(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'text/event-stream')
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://test.invalid/v1', fetch, maxRetries: 0 })
  const stream = await client.chat.completions.create({ ...question, stream: true })
  const calls: { id: string; name: string; arguments: string }[] = []
  const seen: { text: string; finish: unknown; inputTokens?: number; outputTokens?: number } = {
    text: '',
    finish: null,
  }
  for await (const chunk of stream) {
    const [choice] = chunk.choices
    seen.text += (choice?.delta.content ?? '') + (choice?.delta.refusal ?? '')
    for (const piece of choice?.delta.tool_calls ?? []) {
      calls[piece.index] ??= { id: piece.id ?? '', name: piece.function?.name ?? '', arguments: '' }
      const call = calls[piece.index]
      if (call) call.arguments += piece.function?.arguments ?? ''
    }
    seen.finish = choice?.finish_reason ?? seen.finish
    if (chunk.usage) {
      seen.inputTokens = chunk.usage.prompt_tokens
      seen.outputTokens = chunk.usage.completion_tokens
    }
  }
  const toolCalls = calls.map((call) => ({ ...call, arguments: parseOr(call.arguments) }))
  return { inputTokens: undefined, outputTokens: undefined, ...seen, toolCalls }
}

/** The official OpenAI client reads a whole answer. */
export async function replyToOpenAi(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'application/json')
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://test.invalid/v1', fetch, maxRetries: 0 })
  const { choices, usage } = await client.chat.completions.create(question)
  const message = choices[0]?.message
  const calls = (message?.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
  return {
    text: (message?.content ?? '') + (message?.refusal ?? ''),
    toolCalls: calls.map(({ id, function: called }) => ({
      id,
      name: called.name,
      arguments: parseOr(called.arguments),
    })),
    finish: choices[0]?.finish_reason,
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
  }
}

function seeMessage(message: Anthropic.Message): Seen {
  const { usage } = message
  return {
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    toolCalls: message.content
      .filter((block) => block.type === 'tool_use')
      .map(({ id, name, input }) => ({ id, name, arguments: input })),
    finish: message.stop_reason,
    inputTokens:
      usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
    outputTokens: usage.output_tokens,
  }
}

/** The official Anthropic client reads a stream. */
export async function streamToAnthropic(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'text/event-stream')
  const client = new Anthropic({ apiKey: 'k', baseURL: 'http://test.invalid', fetch, maxRetries: 0 })
  return seeMessage(await client.messages.stream({ ...question, max_tokens: 1 }).finalMessage())
}

/** The official Anthropic client reads a whole answer. */
export async function replyToAnthropic(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'application/json')
  const client = new Anthropic({ apiKey: 'k', baseURL: 'http://test.invalid', fetch, maxRetries: 0 })
  return seeMessage(await client.messages.create({ ...question, max_tokens: 1 }))
}

function seeResponse(response: OpenAI.Responses.Response): Seen {
  const message = response.output.flatMap((item) => (item.type === 'message' ? item.content : []))
  const toolCalls = response.output.flatMap((item): Seen['toolCalls'] => {
    const isCustom = item.type === 'custom_tool_call'
    if (!isCustom && item.type !== 'function_call') return []
    const text = isCustom ? item.input : item.arguments
    return [{ id: item.call_id, name: item.name, arguments: isCustom ? text : parseOr(text || '{}') }]
  })
  return {
    text: message.map((part) => (part.type === 'output_text' ? part.text : part.refusal)).join(''),
    toolCalls,
    finish: response.incomplete_details?.reason ?? response.status,
    inputTokens: response.usage?.input_tokens,
    outputTokens: response.usage?.output_tokens,
  }
}

/** The official OpenAI client reads a Responses stream, and puts the answer together itself. */
export async function streamToResponses(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'text/event-stream')
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://test.invalid/v1', fetch, maxRetries: 0 })
  const stream = client.responses.stream({ model: 'm', input: 'x' })
  return seeResponse(await stream.finalResponse())
}

/** The official OpenAI client reads a whole Responses answer. */
export async function replyToResponses(text: string): Promise<Seen> {
  const fetch = answerWith(text, 'application/json')
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://test.invalid/v1', fetch, maxRetries: 0 })
  return seeResponse(await client.responses.create({ model: 'm', input: 'x' }))
}

/** Google's client takes no fetch of its own: it gets its answer from a server. */
async function askGemini<T>(
  text: string,
  type: string,
  ask: (client: GoogleGenAI) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': type })
    for (let at = 0; at < text.length; at += 1000) response.write(text.slice(at, at + 1000))
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const httpOptions = { baseUrl: `http://127.0.0.1:${port}` }
    return await ask(new GoogleGenAI({ apiKey: 'k', httpOptions }))
  } finally {
    server.close()
  }
}

function seeGemini(answers: readonly GenerateContentResponse[]): Seen {
  const candidates = answers.flatMap((answer) => answer.candidates?.slice(0, 1) ?? [])
  const parts = candidates.flatMap(({ content }) => content?.parts ?? [])
  const usage = answers.findLast((answer) => answer.usageMetadata !== undefined)?.usageMetadata
  const calls = parts.flatMap(({ functionCall }) => functionCall ?? [])
  return {
    text: parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join(''),
    toolCalls: calls.map(({ id = '', name = '', args }) => ({ id, name, arguments: args })),
    finish: candidates.at(-1)?.finishReason,
    inputTokens: usage?.promptTokenCount,
    outputTokens: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
  }
}

/** The official Google client reads a stream. */
export function streamToGemini(text: string): Promise<Seen> {
  return askGemini(text, 'text/event-stream', async ({ models }) => {
    const answers: GenerateContentResponse[] = []
    for await (const answer of await models.generateContentStream({ model: 'm', contents: 'x' })) {
      answers.push(answer)
    }
    return seeGemini(answers)
  })
}

/** The official Google client reads a whole answer. */
export function replyToGemini(text: string): Promise<Seen> {
  return askGemini(text, 'application/json', async ({ models }) =>
    seeGemini([await models.generateContent({ model: 'm', contents: 'x' })]),
  )
}

export function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
