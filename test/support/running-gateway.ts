import { type CallRecord, Refusal } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { AccessTokens } from '../../gateway/credentials/access-tokens.ts'
import { dialect as anthropicMessages } from '../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../gateway/dialects/gemini.ts'
import { dialect as openAi } from '../../gateway/dialects/openai.ts'
import { dialect as openAiChat } from '../../gateway/dialects/openai-chat.ts'
import { dialect as openAiResponses } from '../../gateway/dialects/openai-responses.ts'
import { dialect as passthrough } from '../../gateway/dialects/passthrough.ts'
import { dialect as vercelAi } from '../../gateway/dialects/vercel-ai.ts'
import { EndedCalls } from '../../gateway/ended-calls.ts'
import { createIdSource } from '../../gateway/id-source.ts'
import type { GatewayParts } from '../../gateway/parts.ts'
import { provider as anthropic } from '../../gateway/providers/anthropic.ts'
import { provider as google } from '../../gateway/providers/gemini.ts'
import { provider as openai } from '../../gateway/providers/openai.ts'
import { provider as compatible } from '../../gateway/providers/openai-compatible.ts'
import { provider as vertex } from '../../gateway/providers/vertex.ts'
import { createGatewayServer, type GatewayServer } from '../../gateway/server.ts'
import { createSimulation } from '../../gateway/simulated/simulate.ts'
import type { Snapshot } from '../../gateway/snapshot.ts'
import { type AttemptDefaults, attemptDefaults } from '../../gateway/steps/attempt.ts'
import { StoredIds } from '../../gateway/stored-ids.ts'
import { newSpanIds } from '../../gateway/telemetry/span-ids.ts'
import type { FinishedCall } from '../../gateway/telemetry/telemetry.ts'
import { createUpstream } from '../../gateway/upstream/upstream.ts'
import { eventually } from './eventually.ts'
import { memoryKey, memorySnapshot } from './memory-snapshot.ts'

/** The gateway's way of a call on a real socket, with its documents in memory. */
export interface RunningGateway {
  readonly url: string
  readonly server: GatewayServer
  readonly records: CallRecord[]
  readonly finished: FinishedCall[]
  /** What the next calls are decided with; undefined: nothing yet. */
  snapshot: Snapshot | undefined
  /** A request with the key of the memory snapshot. */
  send(path: string, body: unknown, init?: SendOptions): Promise<Response>
  /** The record of the latest call, as soon as it is there. */
  lastRecord(count?: number): Promise<CallRecord>
  close(): Promise<void>
}
export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}
export interface GatewayOptions {
  readonly snapshot?: Snapshot
  readonly defaults?: Partial<AttemptDefaults>
  readonly bodyBytesMax?: number
  readonly pauseMs?: number
  /** Records and finished calls that are kept; all where left out. */
  readonly keep?: number
}

const byId = <T extends { readonly id: string }>(...all: T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]))

export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const records: CallRecord[] = []
  const finished: FinishedCall[] = []
  const clock = (): number => performance.timeOrigin + performance.now()
  const upstream = createUpstream(clock)
  const keep = options.keep ?? Number.POSITIVE_INFINITY
  let sequence = 0
  const running: { snapshot: Snapshot | undefined } = { snapshot: options.snapshot ?? memorySnapshot() }
  const identity = { gatewayId: 'gateway-1', incarnation: 'incarnation-1', region: '' }
  const log = createLogger('gateway-test', 'silent')
  const parts: GatewayParts = {
    identity,
    dialects: byId(openAi, openAiChat, openAiResponses, anthropicMessages, gemini, passthrough, vercelAi),
    providers: byId(openai, anthropic, compatible, google, vertex),
    snapshots: {
      current() {
        if (running.snapshot !== undefined) return running.snapshot
        throw new Refusal('not_ready')
      },
      degraded: () => false,
    },
    ended: new EndedCalls({
      identity,
      recorder: {
        nextSequence: () => ++sequence,
        record: (_sequence, text) => {
          if (records.length < keep && text !== undefined) records.push(JSON.parse(text) as CallRecord)
        },
      },
      telemetry: {
        callEnded: (call) => void (finished.length < keep && finished.push(call)),
        shutdown: () => Promise.resolve(),
      },
      log,
      // Tests look at the record of a call right after it.
      batchMax: 1,
    }),
    newSpanIds,
    upstream,
    accessTokens: new AccessTokens(upstream, clock),
    storedIds: new StoredIds(),
    simulate: createSimulation(clock, { pauseMs: options.pauseMs ?? 0 }),
    clock,
    random: () => 7,
    createId: createIdSource(),
    log,
    attemptDefaults: { ...attemptDefaults, ...options.defaults },
    bodyBytesMax: options.bodyBytesMax ?? 32 * 1024 * 1024,
  }
  const server = createGatewayServer(parts)
  const url = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`
  return Object.assign(running, {
    url,
    server,
    records,
    finished,
    send: (path: string, body: unknown, { headers, signal }: SendOptions = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${memoryKey}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(signal !== undefined && { signal }),
      }),
    lastRecord: (count = 1) =>
      eventually(() => {
        const record = records.length >= count ? records.at(-1) : undefined
        if (record === undefined) throw new Error(`${records.length} records`)
        return record
      }),
    async close() {
      await server.drain(0)
      parts.ended.flush()
      await upstream.close()
    },
  })
}
