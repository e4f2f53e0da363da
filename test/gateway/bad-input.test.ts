import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageBytesMax } from '../../gateway/wire/check-content.ts'
import { connectionOf, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'
import type { Json, Speaker } from './wire/features/feature-row.ts'
import { bases } from './wire/features/feature-row.ts'

interface Asked {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly model: Json
  /** Code, kind and member of an error, as the dialect tells them. */
  readonly read: (body: Json) => unknown
}
const protocol = { 'ai-language-model-id': 'openai/m', 'ai-language-model-specification-version': '3' }
const invalid = 'invalid_request_error'
const askedIn: Readonly<Record<Speaker, Asked>> = {
  'openai-chat': {
    path: '/v1/chat/completions',
    model: { model: 'openai/m' },
    read: ({ error }) => [(error as Json).type === invalid, (error as Json).param],
  },
  'openai-responses': {
    path: '/v1/responses',
    model: { model: 'openai/m' },
    read: ({ error }) => [(error as Json).type === invalid, (error as Json).param],
  },
  'anthropic-messages': {
    path: '/v1/messages',
    model: { model: 'anthropic/m' },
    read: ({ type, error }) => [
      type === 'error' && (error as Json).type === invalid,
      ((error as Json).details as Json).param,
    ],
  },
  gemini: {
    path: '/v1beta/models/gemini%2Fm:generateContent',
    model: {},
    read: ({ error }) => {
      const [detail] = (error as { details: { metadata: Json }[] }).details
      return [(error as Json).status === 'INVALID_ARGUMENT', detail?.metadata.param]
    },
  },
  'vercel-ai': {
    path: '/v3/ai/language-model',
    headers: protocol,
    model: {},
    read: ({ error }) => [(error as Json).type === invalid, ((error as Json).param as Json).path],
  },
}

/** Members that must be of a kind, in every dialect: each with something that it is not. */
const kinds: Readonly<Record<Speaker, Readonly<Record<string, unknown>>>> = {
  'openai-chat': {
    ...{
      messages: 'q',
      stream: 'yes',
      temperature: 2.5,
      top_p: 1.5,
      max_completion_tokens: -1,
      n: 0,
      seed: 'x',
    },
    ...{
      stop: [1],
      frequency_penalty: 3,
      tools: {},
      tool_choice: 'must',
      response_format: 'json',
      logprobs: 1,
    },
    ...{ metadata: 'x', user: 7, reasoning_effort: 3, parallel_tool_calls: 'no', logit_bias: [] },
  },
  'openai-responses': {
    ...{
      input: 7,
      instructions: 7,
      temperature: 'hot',
      top_p: -1,
      max_output_tokens: 1.5,
      tools: {},
      text: 'x',
    },
    ...{
      reasoning: 'high',
      include: 'x',
      tool_choice: 'must',
      store: 'yes',
      previous_response_id: 7,
      truncation: 1,
    },
  },
  'anthropic-messages': {
    ...{
      messages: 'q',
      max_tokens: '9',
      system: 7,
      temperature: 1.5,
      top_p: 2,
      top_k: -1,
      stop_sequences: [1],
    },
    ...{ tools: {}, tool_choice: 'auto', thinking: true, metadata: 'x', stream: 'yes', output_config: 'x' },
  },
  gemini: {
    ...{
      contents: 7,
      systemInstruction: 'x',
      tools: 7,
      toolConfig: 'x',
      safetySettings: {},
      cachedContent: 7,
    },
    ...{ generationConfig: 'x', labels: 'x' },
  },
  'vercel-ai': {
    ...{
      prompt: 'q',
      maxOutputTokens: -1,
      temperature: -1,
      topP: 2,
      topK: 'x',
      seed: 'x',
      stopSequences: [1],
    },
    ...{ responseFormat: 'json', tools: {}, toolChoice: 'auto', reasoning: 7, providerOptions: 'x' },
  },
}
const png = 'iVBORw0KGgo='
const tooLarge = 'A'.repeat(Math.ceil(imageBytesMax / 0.75) + 4)
const says = (role: string, content: unknown, rest: Json = {}): Json => ({ role, content, ...rest })
const use = { type: 'tool_use', id: 't1', name: 'f', input: {} }
const source = (rest: Json): Json => ({
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: png, ...rest },
})
const chatImage = (url: unknown): Json => ({
  messages: [says('user', [{ type: 'image_url', image_url: { url } }])],
})
const responsesImage = (url: unknown): Json => ({
  input: [says('user', [{ type: 'input_image', image_url: url }])],
})
const parts = (role: string, ...all: Json[]): Json => ({ contents: [{ role, parts: all }] })
const inline = (mimeType: unknown, data: unknown): Json => parts('user', { inlineData: { mimeType, data } })

/** What is wrong within: images, ids, roles; and the member that is named. */
const wrong: readonly (readonly [speaker: Speaker, what: string, rest: Json, param: string])[] = [
  ['openai-chat', 'an unknown role', { messages: [says('robot', 'q')] }, 'messages[0].role'],
  [
    'openai-chat',
    'a result of no call',
    { messages: [says('tool', 'r', { tool_call_id: 'x' })] },
    'messages[0].tool_call_id',
  ],
  ['openai-chat', 'a result without an id', { messages: [says('tool', 'r')] }, 'messages[0].tool_call_id'],
  [
    'openai-chat',
    'a call of the user',
    { messages: [says('user', 'q', { tool_calls: [{ id: 'x' }] })] },
    'messages[0].tool_calls',
  ],
  [
    'openai-chat',
    'an image of text',
    chatImage('data:text/plain;base64,AAAA'),
    'messages[0].content[0].image_url.url',
  ],
  [
    'openai-chat',
    'an empty image',
    chatImage('data:image/png;base64,'),
    'messages[0].content[0].image_url.url',
  ],
  [
    'openai-chat',
    'an image that is too large',
    chatImage(`data:image/png;base64,${tooLarge}`),
    'messages[0].content[0].image_url.url',
  ],
  ['openai-chat', 'an image without a URL', chatImage(7), 'messages[0].content[0].image_url'],
  [
    'openai-chat',
    'a tool without a name',
    { tools: [{ type: 'function', function: {} }] },
    'tools[0].function.name',
  ],
  ['openai-responses', 'an unknown role', { input: [says('robot', 'q')] }, 'input[0].role'],
  [
    'openai-responses',
    'a result of no call',
    { input: [{ type: 'function_call_output', call_id: 'x', output: 'r' }] },
    'input[0].call_id',
  ],
  [
    'openai-responses',
    'a call without a name',
    { input: [{ type: 'function_call', call_id: 'x', arguments: '{}' }] },
    'input[0].name',
  ],
  [
    'openai-responses',
    'an image of text',
    responsesImage('data:text/plain;base64,AAAA'),
    'input[0].content[0].image_url',
  ],
  [
    'openai-responses',
    'an image that is too large',
    responsesImage(`data:image/png;base64,${tooLarge}`),
    'input[0].content[0].image_url',
  ],
  ['anthropic-messages', 'an unknown role', { messages: [says('robot', 'q')] }, 'messages[0].role'],
  [
    'anthropic-messages',
    'a result of no call',
    { messages: [says('user', [{ type: 'tool_result', tool_use_id: 'x' }])] },
    'messages[0].content[0].tool_use_id',
  ],
  ['anthropic-messages', 'a call of the user', { messages: [says('user', [use])] }, 'messages[0].content[0]'],
  [
    'anthropic-messages',
    'a result of the assistant',
    { messages: [says('assistant', [use, { type: 'tool_result', tool_use_id: 't1' }])] },
    'messages[0].content[1]',
  ],
  [
    'anthropic-messages',
    'an unknown media type',
    { messages: [says('user', [source({ media_type: 'image/tiff' })])] },
    'messages[0].content[0].source.media_type',
  ],
  [
    'anthropic-messages',
    'an image without bytes',
    { messages: [says('user', [source({ data: '' })])] },
    'messages[0].content[0].source.data',
  ],
  [
    'anthropic-messages',
    'an image that is too large',
    { messages: [says('user', [source({ data: tooLarge })])] },
    'messages[0].content[0].source.data',
  ],
  ['anthropic-messages', 'an unknown tool choice', { tool_choice: { type: 'must' } }, 'tool_choice.type'],
  ['anthropic-messages', 'an unknown kind of thinking', { thinking: { type: 'hard' } }, 'thinking.type'],
  ['gemini', 'an unknown role', parts('robot', { text: 'q' }), 'contents[0].role'],
  [
    'gemini',
    'a call of the user',
    parts('user', { functionCall: { name: 'f' } }),
    'contents[0].parts[0].functionCall',
  ],
  [
    'gemini',
    'a result of the model',
    parts('model', { functionResponse: { name: 'f' } }),
    'contents[0].parts[0].functionResponse',
  ],
  ['gemini', 'an unknown media type', inline('png', png), 'contents[0].parts[0].inlineData.mimeType'],
  ['gemini', 'an image without bytes', inline('image/png', ''), 'contents[0].parts[0].inlineData.data'],
  [
    'gemini',
    'an image that is too large',
    inline('image/png', tooLarge),
    'contents[0].parts[0].inlineData.data',
  ],
  [
    'gemini',
    'an unknown mode',
    { toolConfig: { functionCallingConfig: { mode: 'MUST' } } },
    'toolConfig.functionCallingConfig.mode',
  ],
  ['gemini', 'a temperature of 3', { generationConfig: { temperature: 3 } }, 'generationConfig.temperature'],
  ['vercel-ai', 'an unknown role', { prompt: [says('robot', [])] }, 'prompt[0].role'],
  [
    'vercel-ai',
    'a result of no call',
    { prompt: [says('tool', [{ type: 'tool-result', toolCallId: 'x' }])] },
    'prompt[0].content[0].toolCallId',
  ],
  ['vercel-ai', 'an unknown tool choice', { toolChoice: { type: 'must' } }, 'toolChoice.type'],
]

let upstream: ScriptedUpstream
let gateway: RunningGateway
beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = (['openai', 'anthropic', 'gemini'] as const).map((provider) =>
    connectionOf(provider, { provider, baseUrl: upstream.url }),
  )
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

/** The dialect's own 400 with the member, and nobody was asked. */
async function expectRefused(speaker: Speaker, rest: Json, param: string): Promise<void> {
  const { path, headers = {}, model, read } = askedIn[speaker]
  const sent = upstream.requests.length
  const response = await gateway.send(path, { ...bases[speaker], ...model, ...rest }, { headers })
  expect(response.status).toBe(400)
  expect(read((await response.json()) as Json)).toEqual([true, param])
  expect(upstream.requests.length).toBe(sent)
}

describe('a member of the wrong kind is named in a 400 of the dialect, and nothing is sent', () => {
  for (const [speaker, members] of Object.entries(kinds) as [Speaker, Json][]) {
    it.each(Object.entries(members))(`${speaker}: %s`, (member, value) =>
      expectRefused(speaker, { [member]: value }, member))
  }
})

describe('what makes no sense is named in a 400 of the dialect, and nothing is sent', () => {
  it.each(wrong)('%s: %s', (speaker, _what, rest, param) => expectRefused(speaker, rest, param))
})
