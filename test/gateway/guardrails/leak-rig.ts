import { buildVersion, createEngine, loadCatalogue, type RedactedSpan } from '@signalbox/policies'
import { dialect as anthropicMessages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as openAiChat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as openAiResponses } from '../../../gateway/dialects/openai-responses.ts'
import { type Guard, guardsOf } from '../../../gateway/guardrails/guard.ts'
import { Placeholders } from '../../../gateway/guardrails/placeholders.ts'
import { replaceSpans } from '../../../gateway/guardrails/screened-body.ts'
import { TextFindings } from '../../../gateway/guardrails/text-findings.ts'
import { WindowScreen } from '../../../gateway/guardrails/window-screen.ts'
import { Meter } from '../../../gateway/meter.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { Translation } from '../../../gateway/relay/translation.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { allow, memorySnapshot } from '../../support/memory-snapshot.ts'
import { chatStreamAt, type DialectName, messageStreamAt, messageStreamOf, type Place } from './streams.ts'

const responses = openai.otherFormats?.['openai-responses'] ?? openai
/** What a client of each dialect speaks, and what reads it again. */
const clients = {
  'openai-chat': {
    dialect: openAiChat,
    reader: openai,
    body: { model: 'm', messages: [{ role: 'user', content: 'Hello' }] },
  },
  'openai-responses': { dialect: openAiResponses, reader: responses, body: { model: 'm', input: 'Hello' } },
  'anthropic-messages': {
    dialect: anthropicMessages,
    reader: anthropic,
    body: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] },
  },
  gemini: {
    dialect: gemini,
    reader: google,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  },
} as const
const upstreams = {
  chat: { provider: openai, stream: chatStreamAt },
  messages: { provider: anthropic, stream: messageStreamAt },
  /** Every piece is a block of its own. */
  blocks: {
    provider: anthropic,
    stream: (place: Place, pieces: readonly string[]) =>
      messageStreamOf(
        place,
        pieces.map((piece) => [piece]),
      ),
  },
} as const
export type UpstreamName = keyof typeof upstreams
export const upstreamNames = ['chat', 'messages'] as const satisfies UpstreamName[]

const guardrail = {
  kind: 'guardrail',
  id: 'nothing-out',
  direction: 'output',
  scan: {
    numbers: { regex: { patterns: { contract: 'ACME-[0-9]{6}-[A-Z]{3}' }, charsMax: 16 } },
    names: { terms: { any: ['Project Nightjar', 'Operation Kestrel'] } },
  },
  when: {
    any: ['pii', 'secrets', 'numbers', 'names'].map((name) => ({
      gt: [{ fact: `findings.${name}.hits`, or: 0 }, 0],
    })),
  },
  then: { redact: { code: 'LEAK', with: '█' } },
}

export interface LeakRun {
  /** What the client reads. */
  readonly text: string
  /** All bytes that it got. */
  readonly wire: string
}

/** A stream's whole way under a guardrail that takes everything out, without sockets. */
export class LeakRig {
  readonly #guard: Guard
  readonly #snapshot: ReturnType<typeof memorySnapshot>

  private constructor(guard: Guard, snapshot: ReturnType<typeof memorySnapshot>) {
    this.#guard = guard
    this.#snapshot = snapshot
  }

  static async create(): Promise<LeakRig> {
    const catalogue = loadCatalogue()
    const files = new Map([
      ['signalbox.yaml', 'name: acme\n'],
      ['guardrails/nothing-out.guardrail.json', JSON.stringify(guardrail)],
    ])
    const { version, problems } = await buildVersion(files, { catalogue, typeCheck: false })
    if (version === null) throw new Error(JSON.stringify(problems))
    const { digest, script, compiled } = version
    const engine = await createEngine()
    const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment: 'development' })
    const snapshot = memorySnapshot({ program, workspace: compiled })
    const output = [{ id: guardrail.id, mode: 'enforce', onError: 'block' } as const]
    const decision = allow(undefined, { guardrails: { input: [], output } })
    const guard = guardsOf(decision, { snapshot, layers: undefined, seed: 1 })?.output[0]
    if (guard === undefined) throw new Error('no guard')
    return new LeakRig(guard, snapshot)
  }

  /** What is found in a text that is there as a whole. */
  matchesIn(text: string): RedactedSpan[] {
    const { findings } = new TextFindings(text).of(this.#guard, { models: [], tools: [] })
    const merged: RedactedSpan[] = []
    for (const { start, end } of [...findings].sort((a, b) => a.start - b.start || b.end - a.end)) {
      const last = merged.at(-1)
      if (last !== undefined && start <= last.end) {
        merged[merged.length - 1] = { ...last, end: Math.max(last.end, end) }
      } else merged.push({ start, end, replacement: '█' })
    }
    return merged
  }

  redacted(text: string): string {
    return replaceSpans(text, this.matchesIn(text))
  }

  /** A screen for one stream. */
  open(): WindowScreen {
    const names = { models: [], tools: [] }
    const around = { snapshot: this.#snapshot, metadata: {}, target: 'openai/m', stream: true, names }
    return new WindowScreen({
      guards: [this.#guard],
      around,
      placeholders: new Placeholders(),
      hasTools: false,
    })
  }

  /** The whole way: an upstream's bytes, in chunks, to a client's. */
  run(
    pieces: readonly string[],
    way: {
      readonly place: Place
      readonly from: UpstreamName
      readonly to: DialectName
      readonly chunkBytes: number
    },
  ): LeakRun {
    const { provider, stream } = upstreams[way.from]
    const { dialect, reader, body } = clients[way.to]
    const head = { method: 'POST', url: '/v1beta/models/m:streamGenerateContent?alt=sse', headers: {} }
    const call = dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', head)
    const parts = { meter: new Meter(), screen: this.open(), dialect, id: 'call-1', model: 'm' }
    const carrier = new Translation(provider.createDecoder(), dialect.createEncoder(call, 0), parts)
    const splitter = new SseSplitter()
    const bytes = Buffer.from(stream(way.place, pieces))
    let wire = ''
    for (let at = 0; at < bytes.length; at += way.chunkBytes) {
      for (const frame of splitter.push(bytes.subarray(at, at + way.chunkBytes))) {
        carrier.take(frame)
        wire += carrier.flush() ?? ''
      }
    }
    wire += carrier.finish().rest + carrier.end()
    return { text: readWire(wire, reader), wire }
  }
}

/** The text that a client puts together from what it got. */
function readWire(wire: string, reader: typeof openai): string {
  const decoder = reader.createDecoder()
  const splitter = new SseSplitter()
  const frames = [...splitter.push(Buffer.from(wire))]
  const tail = splitter.end()
  if (tail !== undefined) frames.push(tail)
  const deltas = [
    ...frames.flatMap((frame) => (frame.data === '' ? [] : decoder.push(frame))),
    ...decoder.finish().deltas,
  ]
  return deltas.map((delta) => (delta.type === 'blockDelta' ? (delta.text ?? '') : '')).join('')
}
