import OpenAI from 'openai'
import {
  ask,
  type ClientTarget,
  caught,
  collect,
  pixel,
  reportSchema,
  type ScenarioResults,
  weatherSchema,
} from './scenarios.ts'

const model = 'gpt-4.1'
const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content })
const format = { name: 'report', strict: true, schema: { ...reportSchema } }
const url = `data:image/png;base64,${pixel}`

/** The official OpenAI client on Chat Completions, and embeddings. */
export async function runOpenAiChat(target: ClientTarget): Promise<ScenarioResults> {
  const client = new OpenAI({ baseURL: `${target.url}/v1`, apiKey: target.key, maxRetries: 0 })
  const { completions } = client.chat
  const tools: OpenAI.ChatCompletionFunctionTool[] = [
    { type: 'function', function: { name: 'get_weather', parameters: { ...weatherSchema } } },
  ]
  const messages: OpenAI.ChatCompletionMessageParam[] = [user(ask.tool)]
  const called = await completions.create({ model, messages, tools })
  const message = called.choices[0]?.message
  const toolCall = message?.tool_calls?.[0]
  if (message === undefined || toolCall === undefined) throw new Error('no call')
  const result = { role: 'tool', tool_call_id: toolCall.id, content: 'rain' } as const
  const picture = [
    { type: 'text', text: ask.image } as const,
    { type: 'image_url', image_url: { url } } as const,
  ]
  const streamed = { model, stream: true, stream_options: { include_usage: true } } as const
  return {
    plain: await completions.create({ model, messages: [user(ask.plain)] }),
    stream: await collect(await completions.create({ ...streamed, messages: [user(ask.plain)] })),
    helper: await completions.stream({ model, messages: [user(ask.plain)] }).finalChatCompletion(),
    called,
    toolStream: await collect(await completions.create({ ...streamed, messages, tools })),
    toolLoop: await completions.create({ model, messages: [...messages, message, result], tools }),
    output: await completions.parse({
      model,
      messages: [user(ask.output)],
      response_format: { type: 'json_schema', json_schema: format },
    }),
    image: await completions.create({ model, messages: [{ role: 'user', content: picture }] }),
    thinking: await completions.create({ model, messages: [user(ask.thinking)] }),
    embeddings: await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] }),
    error: await caught(completions.create({ model, messages: [user(ask.error)] })),
    streamError: await caught(completions.create({ ...streamed, messages: [user(ask.error)] })),
  }
}

/** The official OpenAI client on Responses. */
export async function runOpenAiResponses(target: ClientTarget): Promise<ScenarioResults> {
  const client = new OpenAI({ baseURL: `${target.url}/v1`, apiKey: target.key, maxRetries: 0 })
  const { responses } = client
  const parameters = { ...weatherSchema }
  const tools: OpenAI.Responses.Tool[] = [{ type: 'function', name: 'get_weather', parameters, strict: true }]
  const called = await responses.create({ model, input: [user(ask.tool)], tools })
  const call = called.output.find((item) => item.type === 'function_call')
  if (call?.type !== 'function_call') throw new Error('no call')
  const result = { type: 'function_call_output', call_id: call.call_id, output: 'rain' } as const
  const picture = [
    { type: 'input_text', text: ask.image } as const,
    { type: 'input_image', image_url: url, detail: 'auto' } as const,
  ]
  return {
    plain: await responses.create({ model, input: ask.plain }),
    stream: await collect(await responses.create({ model, input: ask.plain, stream: true })),
    helper: await responses.stream({ model, input: ask.plain }).finalResponse(),
    called,
    toolStream: await collect(await responses.create({ model, input: ask.tool, tools, stream: true })),
    toolLoop: await responses.create({ model, input: [user(ask.tool), call, result], tools }),
    output: await responses.parse({
      model,
      input: ask.output,
      text: { format: { type: 'json_schema', ...format } },
    }),
    image: await responses.create({ model, input: [{ role: 'user', content: picture }] }),
    thinking: await responses.create({ model, input: ask.thinking, reasoning: { summary: 'auto' } }),
    error: await caught(responses.create({ model, input: ask.error })),
  }
}
