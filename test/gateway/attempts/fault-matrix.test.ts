import type { CallRecord } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { breakerRules } from '../../../gateway/health/breaker.ts'
import { connectionOf } from '../../support/memory-snapshot.ts'
import { buildLine } from '../line.ts'
import { type Fault, failing, faults, type Moment } from './faults.ts'

const line = buildLine(
  {
    defaults: { firstTokenMs: 1000, idleMs: 1000, plainMs: 1000, streamMs: 5000 },
    // Every case meets the fault itself: no breaker takes it away.
    breakers: { ...breakerRules, failures: 99 },
  },
  {
    aliases: {
      'by-chat': ['openai/gpt-5.2', 'spare/gpt-5-mini'],
      'by-messages': ['anthropic/claude-sonnet-4-5', 'spare/gpt-5-mini'],
      'by-responses': ['responses/gpt-5.2', 'spare/gpt-5-mini'],
      'by-gemini': ['google/gemini-2.5-flash', 'spare/gpt-5-mini'],
      'by-nobody': ['closed/gpt-5.2', 'spare/gpt-5-mini'],
    },
  },
)

/** How callers of a dialect ask, what an error in their stream looks like, and the end of a good one. */
interface Spoken {
  request(model: string, text: string, stream: boolean): [string, object, Record<string, string>?]
  readonly error: RegExp
  readonly end: RegExp
}
const turns = (content: string) => ({ messages: [{ role: 'user', content }] })
const dialects: Readonly<Record<string, Spoken>> = {
  'openai-chat': {
    request: (model, text, stream) => ['/v1/chat/completions', { model, stream, ...turns(text) }],
    error: /^data: \{"error":\{/m,
    end: /^data: \[DONE\]$/m,
  },
  'openai-responses': {
    request: (model, text, stream) => ['/v1/responses', { model, stream, input: text }],
    error: /^event: (error|response\.failed)$/m,
    end: /^event: response\.completed$/m,
  },
  'anthropic-messages': {
    request: (model, text, stream) => ['/v1/messages', { model, stream, max_tokens: 50, ...turns(text) }],
    error: /^event: error$/m,
    end: /^event: message_stop$/m,
  },
  gemini: {
    request: (model, text, stream) => [
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text }] }] },
    ],
    error: /^data: \{"error":\{/m,
    end: /"finishReason":"STOP"/,
  },
  'vercel-ai': {
    request: (model, text, stream) => [
      '/v3/ai/language-model',
      { prompt: [{ role: 'user', content: [{ type: 'text', text }] }] },
      { 'ai-language-model-id': model, 'ai-language-model-streaming': String(stream) },
    ],
    error: /"type":"error"/,
    end: /"type":"finish"/,
  },
}

/** What the caller must see, and what must be recorded. */
interface Expected {
  readonly answeredBy: 'first' | 'spare' | 'nobody'
  readonly attempts: number
  /** Begun, and ended with a typed error in the caller's dialect. */
  readonly broken: boolean
}
/**
 * The table. Before the commit point every fault leads to the next target; after it, to a typed error. What passes byte
 * for byte passes with an event in its middle that makes no sense, as the provider sent it.
 */
function expectedOf(fault: Fault, moment: Moment, stream: boolean, isIdentity: boolean): Expected {
  const passes = isIdentity && fault === 'malformed' && moment === 'after' && stream
  if (fault === 'slow' || passes) return { answeredBy: 'first', attempts: 1, broken: false }
  if (moment === 'after' && stream) return { answeredBy: 'nobody', attempts: 1, broken: true }
  return { answeredBy: 'spare', attempts: 2, broken: false }
}

/** Where an upstream of each format is asked. */
const paths: Readonly<Record<string, RegExp>> = {
  chat: /\/chat\/completions$/,
  messages: /\/messages$/,
  responses: /\/responses$/,
  gemini: /:(g|streamG)enerateContent/,
}
const lines = [
  ...Object.keys(dialects).map((dialect) => ({
    ...{ dialect, upstream: 'chat' },
    isIdentity: dialect === 'openai-chat',
  })),
  { dialect: 'anthropic-messages', upstream: 'messages', isIdentity: true },
  { dialect: 'openai-chat', upstream: 'messages', isIdentity: false },
  { dialect: 'openai-responses', upstream: 'responses', isIdentity: true },
  { dialect: 'anthropic-messages', upstream: 'responses', isIdentity: false },
  { dialect: 'gemini', upstream: 'gemini', isIdentity: true },
  { dialect: 'openai-chat', upstream: 'gemini', isIdentity: false },
]
const cases = faults.flatMap((fault) =>
  (['before', 'after'] as const).flatMap((moment) =>
    [false, true].flatMap((stream) => {
      // What is refused has no middle; a status cannot come in the middle of a plain answer.
      const isStatus = fault === '429' || fault === '500' || fault === '529'
      if (moment === 'after' && (fault === 'refused' || (isStatus && !stream))) return []
      return [{ fault, moment, stream }]
    }),
  ),
)

async function run(
  { dialect, upstream }: (typeof lines)[number],
  { fault, moment, stream }: (typeof cases)[number],
): Promise<{ text: string; status: number; record: CallRecord; records: number; spoken: Spoken }> {
  const spoken = dialects[dialect]
  if (spoken === undefined) throw new Error(dialect)
  const model = fault === 'refused' ? 'by-nobody' : `by-${upstream}`
  const [path, body, headers = {}] = spoken.request(model, `fault=${fault}-${moment}`, stream)
  const response = await line.gateway.send(path, body, { headers, signal: AbortSignal.timeout(15_000) })
  const text = await response.text()
  const id = response.headers.get('x-signalbox-decision')
  const own = () => line.gateway.records.filter(({ row }) => row.id === id)
  await expect.poll(() => own().length).toBeGreaterThan(0)
  const [record] = own()
  if (record === undefined) throw new Error('no record')
  return { text, status: response.status, record, records: own().length, spoken }
}

/** An answer of Responses says its text again at the end of each part. */
function timesSaid(words: string, text: string, isResponses: boolean): number {
  return text.split(isResponses ? `"delta":"${words}"` : words).length - 1
}

describe.each(lines)('every fault, for callers of $dialect by $upstream', (route) => {
  it('ends as the table says: no hung call, no byte twice, one record', async () => {
    line.gateway.snapshot = line.snapshotOf({
      connections: [
        connectionOf('openai', { baseUrl: `${line.upstream.url}/v1`, formats: ['openai-chat'] }),
        connectionOf('anthropic', { baseUrl: line.upstream.url }),
        connectionOf('responses', {
          provider: 'openai',
          baseUrl: `${line.upstream.url}/v1`,
          formats: ['openai-responses'],
        }),
        connectionOf('google', { provider: 'gemini', baseUrl: line.upstream.url }),
        connectionOf('spare', { baseUrl: `${line.spare.url}/v1`, formats: ['openai-chat'] }),
        connectionOf('closed', { baseUrl: 'http://127.0.0.1:1/v1', formats: ['openai-chat'] }),
      ],
    })
    line.upstream.play(failing('from-first'))
    line.upstream.requests.length = 0
    line.spare.play(failing('from-spare', false))
    const results = await Promise.all(cases.map(async (each) => ({ each, ...(await run(route, each)) })))
    const asked = line.upstream.requests.filter(({ method }) => method === 'POST')
    expect(asked.length).toBeGreaterThan(0)
    for (const { path } of asked) expect(path).toMatch(paths[route.upstream] ?? '')
    for (const { each, text, status, record, records, spoken } of results) {
      const { answeredBy, attempts, broken } = expectedOf(
        each.fault,
        each.moment,
        each.stream,
        route.isIdentity,
      )
      const isResponses = route.dialect === 'openai-responses' && each.stream
      const timesIn = (words: string): number => timesSaid(words, text, isResponses)
      const what = `${JSON.stringify(each)}\n${text}`
      expect(status, what).toBe(200)
      expect(records, what).toBe(1)
      expect(record.row.attempts, what).toBe(attempts)
      expect(record.row.truncated, what).toBe(broken)
      expect(timesIn('from-spare'), what).toBe(answeredBy === 'spare' ? 1 : 0)
      if (answeredBy === 'first') expect(timesIn('from-first'), what).toBeGreaterThan(0)
      if (!each.stream) continue
      expect(timesIn('partial '), what).toBe(1)
      expect(spoken.error.test(text), what).toBe(broken)
      expect(spoken.end.test(text), what).toBe(!broken)
      if (broken) expect(record.row.errorCode, what).toMatch(/^upstream_(reset|timeout|invalid|error)$/)
    }
  })
})
