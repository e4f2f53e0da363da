import { type Content, GoogleGenAI } from '@google/genai'
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

const model = 'gemini-2.5-flash'

/** The official Google client. The simulator knows `v1beta` alone. */
export async function runGoogle(target: ClientTarget): Promise<ScenarioResults> {
  const httpOptions = { baseUrl: target.url, apiVersion: 'v1beta' }
  const { models } = new GoogleGenAI({ apiKey: target.key, httpOptions })
  const tools = [
    { functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: { ...weatherSchema } }] },
  ]
  const question: Content = { role: 'user', parts: [{ text: ask.tool }] }
  const called = await models.generateContent({ model, contents: [question], config: { tools } })
  const content = called.candidates?.[0]?.content
  if (content === undefined) throw new Error('no call')
  const functionResponse = { name: 'get_weather', response: { output: 'rain' } }
  const loop = [question, content, { role: 'user', parts: [{ functionResponse }] }]
  const picture = [{ text: ask.image }, { inlineData: { mimeType: 'image/png', data: pixel } }]
  const output = { responseMimeType: 'application/json', responseJsonSchema: { ...reportSchema } }
  const thinkingConfig = { includeThoughts: true, thinkingBudget: 1024 }
  const stream = async (contents: string, config = {}): Promise<unknown> =>
    collect(await models.generateContentStream({ model, contents, config }))
  return {
    plain: await models.generateContent({ model, contents: ask.plain }),
    stream: await stream(ask.plain),
    called,
    toolStream: await stream(ask.tool, { tools }),
    toolLoop: await models.generateContent({ model, contents: loop, config: { tools } }),
    output: await models.generateContent({ model, contents: ask.output, config: output }),
    image: await models.generateContent({ model, contents: [{ role: 'user', parts: picture }] }),
    thinking: await models.generateContent({ model, contents: ask.thinking, config: { thinkingConfig } }),
    thinkingStream: await stream(ask.thinking, { thinkingConfig }),
    error: await caught(models.generateContent({ model, contents: ask.error })),
  }
}
