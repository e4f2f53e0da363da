import { type Content, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../gateway/snapshot.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
} as const
const simulated = { status: 'simulated', credential: undefined, missing: 'A_KEY' } as const
const weather = { name: 'get_weather', description: 'Weather now.', parametersJsonSchema: schema }
const tools = [{ functionDeclarations: [weather] }]

let gateway: RunningGateway
let google: GoogleGenAI

beforeAll(async () => {
  const connections = [
    connectionOf('google', { ...simulated, provider: 'gemini' }),
    connectionOf('openai', simulated),
    connectionOf('anthropic', simulated),
    connectionOf('openai', { ...simulated, name: 'responses', formats: ['openai-responses'] }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  google = new GoogleGenAI({ apiKey: memoryKey, httpOptions: { baseUrl: gateway.url } })
})
afterAll(() => gateway.close())

const models = ['google/gemini-3-flash', 'openai/gpt-5.2', 'anthropic/claude-sonnet-4.5', 'responses/gpt-5.2']

describe.each(models)("Google's client asks the simulated %s and", (model) => {
  it('gets a plain answer that says that it is simulated', async () => {
    const answer = await google.models.generateContent({
      model,
      contents: 'What is the meaning of life?',
      config: { systemInstruction: 'Be brief.', temperature: 1, maxOutputTokens: 200 },
    })
    expect(answer.text).toContain('What is the meaning of life?')
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
    expect(answer.usageMetadata?.candidatesTokenCount).toBeGreaterThan(0)
    expect(answer.sdkHttpResponse?.headers?.['x-signalbox-target']).toMatch(/^simulated\//)
    expect((await gateway.lastRecord()).row.status).toBe(200)
  })

  it('gets a stream in pieces, with the finish and the usage at its end', async () => {
    const stream = await google.models.generateContentStream({ model, contents: 'Hello' })
    const answers = []
    for await (const answer of stream) answers.push(answer)
    expect(answers.map(({ text }) => text).join('')).toContain('You wrote: "Hello"')
    expect(answers.length).toBeGreaterThan(4)
    expect(answers.at(-1)?.candidates?.[0]?.finishReason).toBe('STOP')
    expect(answers.at(-1)?.usageMetadata?.totalTokenCount).toBeGreaterThan(0)
  })

  it('is told that the limit cut the answer', async () => {
    const config = { maxOutputTokens: 3 }
    const answer = await google.models.generateContent({ model, contents: 'Tell me everything', config })
    expect(answer.candidates?.[0]?.finishReason).toBe('MAX_TOKENS')
  })

  it.each([false, true])('goes to a tool and back (with the id of the call: %s)', async (withId) => {
    const contents: Content[] = [{ role: 'user', parts: [{ text: 'What is the weather in York?' }] }]
    const config = { tools }
    const stream = await google.models.generateContentStream({ model, contents, config })
    const parts = []
    for await (const answer of stream) parts.push(...(answer.candidates?.[0]?.content?.parts ?? []))
    const call = parts.find((part) => part.functionCall !== undefined)?.functionCall
    expect(call).toMatchObject({ name: 'get_weather', args: { city: 'text', degrees: 0 } })
    const response = { output: 'Rain, 11 degrees' }
    const given = { name: 'get_weather', response, ...(withId && call?.id && { id: call.id }) }
    contents.push({ role: 'model', parts }, { role: 'user', parts: [{ functionResponse: given }] })
    const answer = await google.models.generateContent({ model, contents, config })
    expect(answer.text).toContain('Rain, 11 degrees')
  })

  it('keeps a conversation as its chat does', async () => {
    const chat = google.chats.create({ model })
    await chat.sendMessage({ message: 'First' })
    for await (const _piece of await chat.sendMessageStream({ message: 'Second' }));
    expect((await chat.sendMessage({ message: 'Third' })).text).toContain('You wrote: "Third"')
    expect(chat.getHistory(true).length).toBeGreaterThanOrEqual(6)
  })

  it('makes the model call a tool', async () => {
    const functionCallingConfig = {
      mode: FunctionCallingConfigMode.ANY,
      allowedFunctionNames: ['get_weather'],
    }
    const config = { tools, toolConfig: { functionCallingConfig } }
    const answer = await google.models.generateContent({ model, contents: 'Hello', config })
    expect(answer.functionCalls?.[0]?.name).toBe('get_weather')
  })

  it('gets structured output that fits, by either kind of schema', async () => {
    const ask = async (config: object): Promise<unknown> => {
      const all = { responseMimeType: 'application/json', ...config }
      const answer = await google.models.generateContent({ model, contents: 'Report', config: all })
      return JSON.parse(answer.text ?? '')
    }
    const openApi = {
      type: 'OBJECT',
      properties: { city: { type: 'STRING' }, degrees: { type: 'INTEGER' } },
      required: ['city', 'degrees'],
    }
    expect(await ask({ responseJsonSchema: schema })).toEqual({ city: 'text', degrees: 0 })
    expect(await ask({ responseSchema: openApi })).toEqual({ city: 'text', degrees: 0 })
  })

  it('shows an image', async () => {
    const image = { inlineData: { mimeType: 'image/png', data: pixel } }
    const contents = [{ role: 'user', parts: [{ text: 'What is this?' }, image] }]
    expect((await google.models.generateContent({ model, contents })).text).toContain('an image')
  })
})

const question = { contents: [{ parts: [{ text: 'Hello' }] }] }
const allMounts = ['/v1', '/v1beta', '/v1alpha', '/gemini/v1', '/gemini/v1beta', '/gemini/v1alpha']

describe('the endpoints of Gemini', () => {
  it.each(allMounts)('stand under %s', async (root) => {
    const url = `${root}/models/google/gemini-3-flash:generateContent`
    const answer = await gateway.send(url, question)
    expect(await answer.json()).toMatchObject({ candidates: [{ content: { role: 'model' } }] })
    const list = await fetch(`${gateway.url}${root}/models?pageSize=2`, {
      headers: { 'x-goog-api-key': memoryKey },
    })
    const { models: listed, nextPageToken } = (await list.json()) as Listed
    expect(listed).toHaveLength(2)
    expect(listed[0]?.name).toMatch(/^models\//)
    const next = await fetch(`${gateway.url}${root}/models?pageSize=2&pageToken=${nextPageToken}`, {
      headers: { 'x-goog-api-key': memoryKey },
    })
    expect(((await next.json()) as Listed).models[0]?.name).not.toBe(listed[0]?.name)
  })

  it.each(models)('stream as one JSON array where no events are asked for: %s', async (model) => {
    const answer = await gateway.send(`/v1beta/models/${model}:streamGenerateContent`, question, {
      headers: { 'x-signalbox-trailer': 'cost' },
    })
    expect(answer.headers.get('content-type')).toBe('application/json')
    const elements = (await answer.json()) as { candidates: { finishReason?: string }[] }[]
    expect(elements.length).toBeGreaterThan(4)
    expect(elements.at(-1)?.candidates[0]?.finishReason).toBe('STOP')
  })

  it("take the key in each of Google's places, and the fields in each of its spellings", async () => {
    const body = JSON.stringify({
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: { text: 'Hello' } },
      generation_config: { max_output_tokens: 3, stop_sequences: ['x'] },
    })
    const url = `${gateway.url}/v1beta/models/anthropic/claude-sonnet-4.5:generateContent`
    const byQuery = await fetch(`${url}?key=${memoryKey}`, { method: 'POST', body })
    const byHeader = await fetch(url, { method: 'POST', body, headers: { 'x-goog-api-key': memoryKey } })
    for (const answer of [byQuery, byHeader]) {
      expect(await answer.json()).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] })
    }
    expect(JSON.stringify(await gateway.lastRecord())).not.toContain(memoryKey)
  })

  it("refuse in Google's form, before anything is sent", async () => {
    const url = '/v1beta/models/google/gemini-3-flash:generateContent'
    const wrong = await gateway.send(url, { contents: [{ role: 'system!', parts: [{ text: 1 }] }] })
    expect(wrong.status).toBe(400)
    expect(await wrong.json()).toMatchObject({
      error: {
        code: 400,
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'invalid_request', metadata: { param: 'contents[0].role' } }],
      },
    })
    const stranger = await fetch(gateway.url + url, { method: 'POST', body: '{}' })
    expect(await stranger.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } })
    const nowhere = await gateway.send('/v1beta/models/x:inventContent', {})
    expect(await nowhere.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } })
    await expect(google.models.generateContent({ model: 'no-such/model', contents: 'x' })).rejects.toThrow(
      /not known here/,
    )
  })
})

describe("a Gemini server's stream that breaks off", () => {
  const piece =
    'data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}]}\r\n\r\n'
  const overloaded = '{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}'
  let upstream: ScriptedUpstream
  let before: Snapshot | undefined

  beforeAll(async () => {
    upstream = await startScriptedUpstream()
    before = gateway.snapshot
    const connection = connectionOf('google', { provider: 'gemini', baseUrl: upstream.url })
    gateway.snapshot = memorySnapshot({ connections: [connection] })
  })
  afterAll(async () => {
    gateway.snapshot = before
    await upstream.close()
  })
  beforeEach(() => gateway.health.clear())
  const cutOff: Script = (turn) => {
    turn.events(piece)
    setTimeout(() => turn.reset(), 20)
  }
  const path = '/v1beta/models/google/gemini-3-flash:streamGenerateContent'

  it("ends in Google's error event, which its client throws", async () => {
    upstream.play(cutOff)
    const text = await (await gateway.send(`${path}?alt=sse`, question)).text()
    expect(text.startsWith(piece)).toBe(true)
    expect(JSON.parse(text.slice(piece.length + 'data: '.length))).toMatchObject({
      error: { code: 502, status: 'UNAVAILABLE', details: [{ reason: 'upstream_reset' }] },
    })
    const stream = await google.models.generateContentStream({
      model: 'google/gemini-3-flash',
      contents: 'x',
    })
    const read = async (): Promise<void> => {
      for await (const _answer of stream);
    }
    await expect(read()).rejects.toThrow()
  })

  it('ends an array with the error as its last element, and closes it', async () => {
    upstream.play(cutOff)
    const elements = (await (await gateway.send(path, question)).json()) as object[]
    expect(elements).toHaveLength(2)
    expect(elements[1]).toMatchObject({ error: { details: [{ reason: 'upstream_reset' }] } })
  })

  it("passes Google's own error on, in the stream and before it", async () => {
    upstream.play((turn) => {
      turn.events(`${piece}data: ${overloaded}\r\n\r\n`)
      turn.response.end()
    })
    const text = await (await gateway.send(`${path}?alt=sse`, question)).text()
    expect(text).toBe(`${piece}data: ${overloaded}\r\n\r\n`)
    upstream.play((turn) => turn.json(503, JSON.parse(overloaded)))
    const refused = await gateway.send(`${path}?alt=sse`, question)
    expect(refused.status).toBe(503)
    expect(await refused.text()).toBe(overloaded)
  })

  it("tells a caller of another dialect in its own words, with Google's time to wait", async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }]
    const error = { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details }
    upstream.play((turn) => turn.json(429, { error }))
    const messages = [{ role: 'user', content: 'x' }]
    const answer = await gateway.send('/v1/chat/completions', { model: 'google/gemini-3-flash', messages })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_error' } })
  })
})

describe('tokens are counted', () => {
  const counted = (model: string, body: object): Promise<Response> =>
    gateway.send(`/v1/models/${model}:countTokens`, body)

  it.each(models)('as an estimate that is marked as one where nobody counts: %s', async (model) => {
    const { totalTokens } = await google.models.countTokens({ model, contents: 'Hello there, world' })
    expect(totalTokens).toBeGreaterThan(2)
    const answer = await counted(model, question)
    expect(answer.headers.get('x-signalbox-estimated')).toBe('true')
    const { row, body } = await gateway.lastRecord()
    expect(row.status).toBe(200)
    expect(body.attempts).toEqual([])
  })

  it('by Google itself where it is asked, as its answer comes', async () => {
    const upstream = await startScriptedUpstream()
    upstream.play((turn) => turn.json(200, { totalTokens: 31, promptTokensDetails: [] }))
    const connection = connectionOf('google', { provider: 'gemini', baseUrl: upstream.url })
    const before = gateway.snapshot
    gateway.snapshot = memorySnapshot({ connections: [connection] })
    const inner = { model: 'models/gemini-pro', contents: [{ parts: [{ text: 'Hello' }] }] }
    const answer = await counted('google/gemini-3-flash', { generateContentRequest: inner })
    expect(await answer.text()).toBe('{"totalTokens":31,"promptTokensDetails":[]}')
    expect(answer.headers.get('x-signalbox-estimated')).toBeNull()
    const [request] = upstream.requests
    expect(request?.path).toBe('/v1/models/gemini-3-flash:countTokens')
    expect(request?.headers['x-goog-api-key']).toBe(connection.credential)
    expect(request?.json).toEqual({
      generateContentRequest: { ...inner, model: 'models/gemini-3-flash' },
    })
    const { body } = await gateway.lastRecord()
    expect(body.attempts[0]).toMatchObject({ usage: { input: 0, output: 0 }, evidence: 'reported' })
    gateway.snapshot = before
    await upstream.close()
  })

  it('not at all for a request that is none', async () => {
    expect((await counted('google/gemini-3-flash', {})).status).toBe(400)
  })
})

interface Listed {
  readonly models: readonly { readonly name: string }[]
  readonly nextPageToken?: string
}

describe('what another upstream cannot do', () => {
  const ask = (rest: object, model = 'anthropic/claude-sonnet-4.5'): Promise<Response> =>
    gateway.send(`/v1beta/models/${model}:generateContent`, { ...question, ...rest })

  it('is named, where the call goes on without it', async () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }]
    const answer = await ask({ safetySettings, generationConfig: { seed: 1, frequencyPenalty: 0.5 } })
    expect(answer.headers.get('x-signalbox-dropped')).toBe(
      'generationConfig.seed, generationConfig.frequencyPenalty, safetySettings',
    )
  })

  it.each([
    ['tools[0].codeExecution', { tools: [{ code_execution: {} }] }],
    ['generationConfig.candidateCount', { generationConfig: { candidateCount: 2 } }],
    ['generationConfig.responseLogprobs', { generationConfig: { responseLogprobs: true } }],
    ['generationConfig.responseModalities', { generationConfig: { responseModalities: ['AUDIO'] } }],
  ])('is refused where it changes the meaning: %s', async (param, rest) => {
    for (const model of ['anthropic/claude-sonnet-4.5', 'openai/gpt-5.2', 'responses/gpt-5.2']) {
      const answer = await ask(rest, model)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        error: { details: [{ reason: 'unsupported_feature', metadata: { param } }] },
      })
    }
  })
})
