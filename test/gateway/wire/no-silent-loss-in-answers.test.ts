import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Call } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { dialect as vercel } from '../../../gateway/dialects/vercel-ai.ts'
import { loadProviders } from '../../../gateway/load-providers.ts'
import type { Provider } from '../../../gateway/provider.ts'
import { answers, streams } from './features/answers.ts'
import { bases, type Json, type Speaker } from './features/feature-row.ts'
import { changedAt, isNamed, leavesOf, without } from './features/leaves.ts'

const dialects: Readonly<Record<Speaker, Dialect>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
  'vercel-ai': vercel,
}
const providers = await loadProviders()

function providerOf(name: string): Provider {
  const [id = '', format = ''] = name.split(' in ')
  const base = providers.get(id)
  if (base === undefined) throw new Error(`no provider ${id}`)
  return base.otherFormats?.[format as Speaker] ?? base
}
/** Events that only open or close what others fill, or say again what others said. */
function isEmptyEvent(event: Json): boolean {
  const text = JSON.stringify(event)
  if (/"content":"","role"|"role":"assistant","content":""|"delta":\{\}|"partial_json":"\{\}"/.test(text))
    return true
  return /stop$|-end$|\.added$|\.done$|_start$|-start$/.test(String(event.type))
}
function askedIn(speaker: Speaker): Call {
  const body = bases[speaker]
  return dialects[speaker].decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', {
    method: 'POST',
    url: '/v1beta/models/m:generateContent',
    headers: { 'ai-language-model-id': 'm' },
  })
}
function tell(
  answer: Json,
  provider: Provider,
  speaker: Speaker,
): { body?: unknown; dropped: readonly string[] } {
  try {
    const raw = Buffer.from(JSON.stringify(answer))
    return dialects[speaker].encodeReply(provider.decodeReply(answer, raw), askedIn(speaker), 0)
  } catch (error) {
    if (error instanceof Refusal) return { dropped: [error.code] }
    throw error
  }
}

/** A streamed answer in the caller's dialect, and what it lost. */
function tellStream(
  events: readonly Json[],
  provider: Provider,
  speaker: Speaker,
): { body: string; dropped: string[] } {
  const decoder = provider.createDecoder()
  const deltas = events.flatMap((event) => decoder.push({ event: '', data: JSON.stringify(event) }))
  if (provider.format === 'openai-chat') deltas.push(...decoder.push({ event: '', data: '[DONE]' }))
  deltas.push(...decoder.finish().deltas)
  const encoder = dialects[speaker].createEncoder(askedIn(speaker), 0)
  const body = deltas.map((delta) => encoder.push(delta)).join('') + encoder.end()
  const errors = deltas.flatMap((delta) => (delta.type === 'error' ? [`${delta.code} ${delta.message}`] : []))
  return {
    body,
    dropped: [...errors, ...deltas.flatMap((delta) => (delta.type === 'lost' ? [delta.path] : []))],
  }
}

/** Values that say nothing to a caller of another format, and why. */
const harmless: readonly (readonly [path: RegExp, why: string])[] = [
  [
    /^(object|type|created|message\.role|role|output\.message\.role|output\[\d\]\.role)$/,
    'the same in every answer',
  ],
  [/(summary|content|tool_calls|tool_calls)\[\d\]\.type$/, 'the member beside it says the same'],
  [/^content\[2\]\.id$|\.tool_use_id$/, 'a search and what it found belong together as they stand'],
  [/^output\[\d\]\.(id|status)$/, 'ids and states of items are the server’s own'],
  [/total_tokens$|total_?TokenCount$|totalTokens$|cache_creation_input_tokens$/, 'a sum of others'],
  [/(audio|cache_write)_tokens$/, 'it is counted in the sum'],
  [/^usage\.(tokens|cost|service_tier|server_tool_use)/, 'for the record, which has it'],
  [
    /service_tier$|native_finish_reason$|latencyMs$|^trace|safetyRatings/,
    'of the service, not of the answer',
  ],
  [/stop_?[rR]eason$|finish_reason$/, 'calls of tools say it'],
  [/citationsContent\.citations/, 'named as the citations of a text'],
  [/^stop_sequence$|^stop_details\.type$/, 'it says nothing here'],
]
const isHarmless = (path: string): boolean => harmless.some(([pattern]) => pattern.test(path))

describe('what a provider answers', () => {
  for (const [name, answer] of Object.entries(answers)) {
    for (const speaker of Object.keys(dialects) as Speaker[]) {
      const provider = providerOf(name)
      if (provider.format === speaker) continue
      it(`${name}: is told or named in ${speaker}`, () => {
        const whole = tell(answer, provider, speaker)
        const lost = whole.dropped.map((path) => path.replace(/^response\./, ''))
        const silent = leavesOf(answer, {}).filter((leaf) => {
          if (isNamed(answer, leaf, lost) || isHarmless(leaf.path)) return false
          return [changedAt(answer, leaf), without(answer, leaf)].every(
            (other) => JSON.stringify(tell(other, provider, speaker)) === JSON.stringify(whole),
          )
        })
        expect(silent.map(({ path }) => path)).toEqual([])
      })
    }
  }
})

describe('what a provider streams', () => {
  for (const [name, events] of Object.entries(streams)) {
    for (const speaker of Object.keys(dialects) as Speaker[]) {
      const provider = providerOf(name)
      if (provider.format === speaker) continue
      it(`${name}: no event goes by unsaid in ${speaker}`, () => {
        const whole = tellStream(events, provider, speaker)
        expect(whole.dropped.filter((path) => !path.startsWith('response.'))).toEqual([])
        const silent = events.filter((event, index) => {
          if (isEmptyEvent(event)) return false
          const others = tellStream(
            [...events.slice(0, index), ...events.slice(index + 1)],
            provider,
            speaker,
          )
          return JSON.stringify(others) === JSON.stringify(whole)
        })
        expect(silent).toEqual([])
      })
    }
  }
})
