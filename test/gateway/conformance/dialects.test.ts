import { type ErrorCode, Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Call, Delta, Reply, WireFormat } from '../../../gateway/call.ts'
import type { Dialect, StreamEncoder } from '../../../gateway/dialect.ts'
import type { Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { assemble, decodeStream } from '../wire/assembled.ts'
import {
  replyToAnthropic,
  replyToGemini,
  replyToOpenAi,
  replyToResponses,
  type Seen,
  streamToAnthropic,
  streamToGemini,
  streamToOpenAi,
  streamToResponses,
} from '../wire/official-clients.ts'
import { fixtureIds, pluginIds, type Situation, situations } from './fixture-folder.ts'

const nowMs = 1_700_000_000_999
const recordId = 'rec-1'
const routes: Readonly<Record<string, readonly string[]>> = {
  'openai-chat': ['post /v1/chat/completions', 'post /api/v1/chat/completions'],
  'openai-responses': ['/v1', '/api/v1'].flatMap((root) =>
    ['', '/input_tokens', '/compact'].map((tail) => `post ${root}/responses${tail}`),
  ),
  'anthropic-messages': ['/v1/messages', '/anthropic/v1/messages'].flatMap((path) => [
    `post ${path}`,
    `post ${path}/count_tokens`,
    `post ${path}/batches`,
    `get ${path}/batches`,
    `get ${path}/batches/:id`,
    `delete ${path}/batches/:id`,
    `post ${path}/batches/:id/cancel`,
    `get ${path}/batches/:id/results`,
  ]),
  'vercel-ai': ['/v3/ai', '/v4/ai'].flatMap((root) => [
    `post ${root}/language-model`,
    `post ${root}/embedding-model`,
  ]),
  openai: ['/v1', '/api/v1'].flatMap((root) =>
    [
      'post /embeddings',
      'post /completions',
      'post /moderations',
      'post /images/generations',
      'post /images/edits',
      'post /images/variations',
      'post /audio/speech',
      'post /audio/transcriptions',
      'post /audio/translations',
      'post /rerank',
      'post /files',
      'get /files',
      'get /files/:id',
      'delete /files/:id',
      'get /files/:id/content',
      'post /batches',
      'get /batches',
      'get /batches/:id',
      'post /batches/:id/cancel',
    ].map((route) => route.replace(' ', ` ${root}`)),
  ),
  gemini: ['/v1', '/v1beta', '/v1alpha', '/gemini/v1', '/gemini/v1beta', '/gemini/v1alpha']
    .flatMap((root) => [
      ...[
        'generateContent',
        'streamGenerateContent',
        'countTokens',
        'embedContent',
        'batchEmbedContents',
      ].map((method) => `post ${root}/models/*model\\:${method}`),
      ...['get', 'post'].map((method) => `${method} ${root}/cachedContents`),
      ...['get', 'patch', 'delete'].map((method) => `${method} ${root}/cachedContents/:id`),
      `get ${root}/files`,
      ...['get', 'delete'].map((method) => `${method} ${root}/files/:id`),
    ])
    .concat(
      ['', '/gemini'].flatMap((root) =>
        ['v1', 'v1beta', 'v1alpha'].map((version) => `post ${root}/upload/${version}/files`),
      ),
    ),
  passthrough: ['get', 'post', 'put', 'patch', 'delete'].map(
    (method) => `${method} /passthrough/:connection/*path`,
  ),
}
/** Who reads a format: our own decoder, and the official client. */
interface Readers {
  readonly provider: Provider
  readonly stream: (text: string) => Promise<Seen>
  readonly reply: (text: string) => Promise<Seen>
}
const readers: Readonly<Partial<Record<WireFormat, Readers>>> = {
  'openai-chat': { provider: compatible, stream: streamToOpenAi, reply: replyToOpenAi },
  'openai-responses': {
    provider: openai.otherFormats?.['openai-responses'] ?? openai,
    stream: streamToResponses,
    reply: replyToResponses,
  },
  'anthropic-messages': { provider: anthropic, stream: streamToAnthropic, reply: replyToAnthropic },
  gemini: { provider: google, stream: streamToGemini, reply: replyToGemini },
}
function readersOf({ format }: Dialect): Readers {
  const known = readers[format]
  // The AI SDK's own client reads that format in its own test.
  if (known === undefined) throw new Error(`nobody here reads ${format}`)
  return known
}
interface RefusalFixture {
  readonly code: ErrorCode
  readonly message?: string
  readonly status?: number
  readonly policyCode?: string
  readonly param?: string
}

function refusalOf(situation: Situation): Refusal | undefined {
  const fixture = situation.json('refusal.json') as RefusalFixture | undefined
  if (fixture === undefined) return undefined
  const { code, ...options } = fixture
  return new Refusal(code, options)
}

function decodeRequest(dialect: Dialect, body: Record<string, unknown>, url: string): Call | Refusal {
  try {
    return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', {
      method: 'POST',
      url,
      headers: {},
    })
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Where a Gemini request goes, which names the model there. */
function urlOf(situation: Situation): string {
  const isStream = situation.text('deltas.json') !== undefined
  const fallback = `/v1beta/models/m:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
  return situation.text('url.txt')?.toString('utf8').trim() ?? fallback
}

/** What came of it: a summary and, on demand, the whole conversation; or what was wrong. */
function describeRequest(call: Call | Refusal): unknown {
  if (call instanceof Refusal) {
    const { code, status, param, message } = call
    return { refusal: { code, status, param, message } }
  }
  const { model, stream, format, summary } = call
  const { extra, ...payload } = call.payload()
  return { model, stream, format, summary, payload: { ...payload, extra: Object.fromEntries(extra) } }
}

function encodeStream(
  encoder: StreamEncoder,
  deltas: readonly Delta[],
  refusal: Refusal | undefined,
): string {
  const text = deltas.map((delta) => encoder.push(delta)).join('')
  return text + (refusal === undefined ? encoder.end() : encoder.fail(refusal, recordId))
}

/** The stream has to mean to our own decoder, and to the official client, what went in. */
async function readBack(dialect: Dialect, text: string, deltas: readonly Delta[]): Promise<void> {
  const { provider, stream } = readersOf(dialect)
  const again = decodeStream(provider.createDecoder(), [Buffer.from(text)])
  expect(again.complete).toBe(true)
  const before = assemble(deltas)
  const names = (reply: Reply) =>
    reply.blocks.filter((block) => block.type === 'toolCall').map(({ name }) => name)
  const texts = (reply: Reply) =>
    reply.blocks
      .map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
      .join('')
  expect(names(assemble(again.deltas))).toEqual(names(before))
  expect(texts(assemble(again.deltas))).toBe(texts(before))
  const seen = await stream(text)
  expect(seen.text).toBe(texts(before))
  expect(seen.toolCalls.map(({ name }) => name)).toEqual(names(before))
}

describe('dialects', () => {
  it('have fixtures, each of them', () => {
    expect(fixtureIds('dialects').filter((id) => pluginIds('dialects').includes(id))).toEqual(
      pluginIds('dialects'),
    )
  })

  for (const id of pluginIds('dialects')) {
    describe(id, async () => {
      const { dialect } = (await import(`../../../gateway/dialects/${id}.ts`)) as { dialect: Dialect }

      it('has the name of its file and routes of its own', () => {
        expect(dialect.id).toBe(id)
        expect(dialect.routes.map(({ method, path }) => `${method} ${path}`)).toEqual(routes[id])
      })

      it.each(
        situations('dialects', id).map((situation) => [situation.name, situation] as const),
      )('%s', async (_name, situation) => {
        const refusal = refusalOf(situation)
        const body = situation.json('body.json') as Record<string, unknown> | undefined
        if (body === undefined) {
          if (refusal === undefined) throw new Error('a situation without anything')
          situation.expectJson('error.json', {
            before: dialect.encodeError(refusal, recordId),
            beforeItIsKnownWhoCalls: dialect.encodeError(refusal, undefined),
            onAStream: dialect.encodeStreamError(refusal, recordId),
          })
          return
        }
        const call = decodeRequest(dialect, body, urlOf(situation))
        const deltas = situation.json('deltas.json') as Delta[] | undefined
        const reply = situation.json('reply.json') as Reply | undefined
        if (deltas === undefined && reply === undefined) {
          situation.expectJson('request.json', describeRequest(call))
          return
        }
        if (call instanceof Refusal) throw call
        if (deltas !== undefined) {
          const text = encodeStream(dialect.createEncoder(call, nowMs), deltas, refusal)
          situation.expectText('stream.sse', text)
          if (refusal === undefined) await readBack(dialect, text, deltas)
          else await expect(readersOf(dialect).stream(text)).rejects.toThrow()
        }
        if (reply !== undefined) {
          const encoded = dialect.encodeReply(reply, call, nowMs)
          situation.expectJson('answer.json', encoded)
          const seen = await readersOf(dialect).reply(JSON.stringify(encoded.body))
          const calls = reply.blocks.filter((block) => block.type === 'toolCall')
          expect(seen.toolCalls.map(({ name }) => name)).toEqual(calls.map(({ name }) => name))
        }
      })
    })
  }
})
