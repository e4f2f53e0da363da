import { describe, expect, it } from 'vitest'
import type { Call } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { dialect as vercel } from '../../../gateway/dialects/vercel-ai.ts'
import type { Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { deltasOf } from '../../../gateway/relay/reply-deltas.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { encodeStream } from './assembled.ts'
import { bases, type Json, type Speaker } from './features/feature-row.ts'

const dialects: Readonly<Record<Speaker, Dialect>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
  'vercel-ai': vercel,
}
interface Thinker {
  readonly provider: Provider
  readonly model: string
  /** An answer that thinks and calls `find` with the id `call_1`. */
  readonly answer: Json
  /** What the provider has to get back with the next turn. */
  readonly proofs: readonly string[]
}
const thinkers: Readonly<Record<string, Thinker>> = {
  Anthropic: {
    provider: anthropic,
    model: 'claude-opus-4-8',
    answer: {
      id: 'm1',
      model: 'claude',
      content: [
        { type: 'thinking', thinking: 'Look it up.', signature: 'SIG-A' },
        { type: 'redacted_thinking', data: 'ENC-A' },
        { type: 'text', text: 'One moment.' },
        { type: 'tool_use', id: 'call_1', name: 'find', input: { q: 'x' } },
      ],
      stop_reason: 'tool_use',
    },
    proofs: ['Look it up.', 'SIG-A', 'ENC-A'],
  },
  Gemini: {
    provider: google,
    model: 'gemini-3-pro-preview',
    answer: {
      responseId: 'r1',
      modelVersion: 'gemini-3',
      candidates: [
        {
          finishReason: 'STOP',
          content: {
            role: 'model',
            parts: [
              { text: 'Look it up.', thought: true },
              { text: 'One moment.' },
              {
                functionCall: { id: 'call_1', name: 'find', args: { q: 'x' } },
                thoughtSignature: 'U0lHLUc=',
              },
            ],
          },
        },
      ],
    },
    proofs: ['U0lHLUc='],
  },
  'OpenAI Responses': {
    provider: openai.otherFormats?.['openai-responses'] ?? openai,
    model: 'gpt-5.5',
    answer: {
      id: 'resp_1',
      model: 'gpt-5.5',
      status: 'completed',
      output: [
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ type: 'summary_text', text: 'Look it up.' }],
          encrypted_content: 'ENC-O',
        },
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'One moment.' }],
        },
        { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'find', arguments: '{"q":"x"}' },
      ],
    },
    proofs: ['ENC-O', 'rs_1'],
  },
  DeepSeek: {
    provider: compatible,
    model: 'deepseek-reasoner',
    answer: {
      id: 'c1',
      model: 'deepseek',
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            content: 'One moment.',
            reasoning_content: 'Look it up.',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } },
            ],
          },
        },
      ],
    },
    proofs: ['"reasoning_content":"Look it up."'],
  },
}

function callOf(speaker: Speaker, body: Json): Call {
  const whole = { ...bases[speaker], ...body }
  return dialects[speaker].decodeRequest(Buffer.from(JSON.stringify(whole)), whole, 'chat', {
    method: 'POST',
    url: '/v1beta/models/m:generateContent',
    headers: { 'ai-language-model-id': 'm' },
  })
}
const [question, googleQuestion] = [
  { role: 'user', content: 'q' },
  { role: 'user', parts: [{ text: 'q' }] },
]

/** The next turn of a client of each dialect: what it was answered, as it keeps it, and what its tool gave. */
const nextTurns: Readonly<Record<Speaker, (answered: unknown) => Json>> = {
  'openai-chat': (answered) => {
    const { choices } = answered as { choices: { message: Json }[] }
    return {
      messages: [question, choices[0]?.message, { role: 'tool', tool_call_id: 'call_1', content: 'Found.' }],
    }
  },
  'openai-responses': (answered) => {
    const { output } = answered as { output: Json[] }
    const result = { type: 'function_call_output', call_id: 'call_1', output: 'Found.' }
    return { input: [question, ...output, result] }
  },
  'anthropic-messages': (answered) => {
    const { content } = answered as { content: Json[] }
    const result = { type: 'tool_result', tool_use_id: 'call_1', content: 'Found.' }
    return { messages: [question, { role: 'assistant', content }, { role: 'user', content: [result] }] }
  },
  gemini: (answered) => {
    const { candidates } = answered as { candidates: { content: Json }[] }
    const result = { functionResponse: { id: 'call_1', name: 'find', response: { output: 'Found.' } } }
    return { contents: [googleQuestion, candidates[0]?.content, { role: 'user', parts: [result] }] }
  },
  'vercel-ai': (answered) => {
    const { content } = answered as { content: Json[] }
    const kept = content.map(({ providerMetadata, ...part }) => {
      const options = providerMetadata === undefined ? {} : { providerOptions: providerMetadata }
      return part.type === 'tool-call'
        ? { ...part, input: JSON.parse(String(part.input)) }
        : { ...part, ...options }
    })
    const output = { type: 'text', value: 'Found.' }
    const result = { type: 'tool-result', toolCallId: 'call_1', toolName: 'find', output }
    return {
      prompt: [
        { role: 'user', content: [{ type: 'text', text: 'q' }] },
        { role: 'assistant', content: kept },
        { role: 'tool', content: [result] },
      ],
    }
  },
}

/** The content that an AI SDK client puts together from a stream. */
function gathered(text: string): { content: Json[] } {
  const content: Json[] = []
  for (const { data } of new SseSplitter().push(Buffer.from(text))) {
    const part = JSON.parse(data) as Json
    const kind = String(part.type)
    const last = content.at(-1)
    if (kind === 'reasoning-start' || kind === 'text-start')
      content.push({ type: kind.split('-')[0], text: '' })
    else if (last !== undefined && (kind === 'reasoning-delta' || kind === 'text-delta'))
      last.text = `${last.text}${part.delta}`
    else if (last !== undefined && part.providerMetadata !== undefined)
      last.providerMetadata = part.providerMetadata
    else if (kind === 'tool-call') content.push(part)
  }
  return { content }
}
function sent(speaker: Speaker, answered: unknown, provider: Provider, model: string) {
  const call = callOf(speaker, nextTurns[speaker](answered))
  const { body, dropped } = provider.encodeRequest(call, {
    model,
    caps: {},
    headers: {},
    outputTokensMax: 32_000,
  })
  return { text: body.toString('utf8'), dropped }
}

describe('a tool loop of two turns', () => {
  for (const [name, { provider, model, answer, proofs }] of Object.entries(thinkers)) {
    for (const speaker of Object.keys(dialects) as Speaker[]) {
      if (provider.format === speaker) continue
      const reply = provider.decodeReply(answer)
      const answered = dialects[speaker].encodeReply(reply, callOf(speaker, {}), 0).body

      it(`brings ${name} its thinking and its call back through ${speaker}`, () => {
        const { text } = sent(speaker, answered, provider, model)
        for (const proof of [...proofs, 'call_1', 'find', 'One moment.', 'Found.'])
          expect(text).toContain(proof)
        expect(text).not.toContain('signalbox')
      })

      it(`brings no other provider what ${name} thought, through ${speaker}, and says so`, () => {
        for (const [other, { provider: stranger, model: itsModel }] of Object.entries(thinkers)) {
          if (other === name || stranger.format === speaker) continue
          const { text, dropped } = sent(speaker, answered, stranger, itsModel)
          for (const proof of proofs) expect(text, other).not.toContain(proof)
          expect(dropped.length, other).toBeGreaterThan(0)
          for (const kept of ['call_1', 'find', 'One moment.', 'Found.']) expect(text).toContain(kept)
        }
      })
    }

    it(`brings ${name} its thinking back from a stream that an AI SDK client kept`, () => {
      const deltas = [...deltasOf(provider.decodeReply(answer))]
      const stream = encodeStream(vercel.createEncoder(callOf('vercel-ai', {}), 0), deltas)
      const { text } = sent('vercel-ai', gathered(stream), provider, model)
      for (const proof of [...proofs, 'call_1', 'Found.']) expect(text).toContain(proof)
    })
  }
})
