import { createAnthropic } from '@ai-sdk/anthropic'
import { createGateway } from '@ai-sdk/gateway'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import {
  type EmbeddingModel,
  embed,
  generateObject,
  generateText,
  jsonSchema,
  type LanguageModel,
  stepCountIs,
  streamText,
  tool,
} from 'ai'
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

/** What is looked at of an answer. */
interface Said {
  readonly text: string
  readonly reasoningText: string | undefined
  readonly finishReason: string
  readonly totalUsage: unknown
  readonly warnings: unknown
  readonly steps: readonly { toolCalls: readonly { toolName: string; input: unknown }[] }[]
}

/** The scenarios with any model of the AI SDK. */
async function run(model: LanguageModel, embedding?: EmbeddingModel): Promise<ScenarioResults> {
  const weather = tool({
    description: 'Weather',
    inputSchema: jsonSchema<{ city: string }>({ ...weatherSchema }),
    execute: async ({ city }) => `rain in ${city}`,
  })
  const said = (result: Said): unknown => ({
    text: result.text,
    reasoning: result.reasoningText,
    finishReason: result.finishReason,
    usage: result.totalUsage,
    calls: result.steps.map((step) => step.toolCalls.map(({ toolName, input }) => ({ toolName, input }))),
    warnings: result.warnings,
  })
  const maxRetries = 0
  const stream = streamText({ model, prompt: ask.plain, maxRetries })
  const content = [
    { type: 'text', text: ask.image } as const,
    { type: 'image', image: pixel, mediaType: 'image/png' } as const,
  ]
  const loop = { tools: { get_weather: weather }, stopWhen: stepCountIs(3) }
  const output = await generateObject({
    model,
    maxRetries,
    prompt: ask.output,
    schema: jsonSchema({ ...reportSchema }),
  })
  return {
    plain: said(await generateText({ model, prompt: ask.plain, maxRetries })),
    stream: await collect(stream.textStream),
    streamUsage: await stream.usage,
    toolLoop: said(await generateText({ model, prompt: ask.tool, maxRetries, ...loop })),
    output: [output.object, output.finishReason, output.usage],
    image: said(await generateText({ model, messages: [{ role: 'user', content }], maxRetries })),
    thinking: said(await generateText({ model, prompt: ask.thinking, maxRetries })),
    error: await caught(generateText({ model, prompt: ask.error, maxRetries })),
    ...(embedding !== undefined && {
      embedding: (await embed({ model: embedding, value: 'a', maxRetries })).embedding,
    }),
  }
}

/** The AI SDK with each vendor's own provider. */
export const aiSdkSuites: Readonly<Record<string, (target: ClientTarget) => Promise<ScenarioResults>>> = {
  '@ai-sdk/openai': ({ url, key }) => {
    const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key })
    return run(openai('gpt-4.1'), openai.embedding('text-embedding-3-small'))
  },
  '@ai-sdk/openai (chat)': ({ url, key }) =>
    run(createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat('gpt-4.1')),
  '@ai-sdk/anthropic': ({ url, key }) =>
    run(createAnthropic({ baseURL: `${url}/v1`, apiKey: key })('claude-opus-4-8')),
  '@ai-sdk/google': ({ url, key }) =>
    run(createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })('gemini-2.5-flash')),
}

/** The AI SDK's gateway protocol, which only a gateway speaks. */
export function runVercelGateway({ url, key }: ClientTarget, model: string): Promise<ScenarioResults> {
  return run(createGateway({ baseURL: `${url}/v3/ai`, apiKey: key })(model))
}
