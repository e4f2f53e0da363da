import { type CallRecord, Refusal } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { BatchKeeper } from '../../gateway/batches/batch-keeper.ts'
import type { BatchLink } from '../../gateway/batches/batch-link.ts'
import { AnswerCache } from '../../gateway/cache/answer-cache.ts'
import { AccessTokens } from '../../gateway/credentials/access-tokens.ts'
import { KeyPools } from '../../gateway/credentials/key-pools.ts'
import { dialect as anthropicMessages } from '../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../gateway/dialects/gemini.ts'
import { dialect as openAi } from '../../gateway/dialects/openai.ts'
import { dialect as openAiChat } from '../../gateway/dialects/openai-chat.ts'
import { dialect as openAiResponses } from '../../gateway/dialects/openai-responses.ts'
import { dialect as passthrough } from '../../gateway/dialects/passthrough.ts'
import { dialect as vercelAi } from '../../gateway/dialects/vercel-ai.ts'
import { EndedCalls } from '../../gateway/ended-calls.ts'
import type { BreakerRules } from '../../gateway/health/breaker.ts'
import { BreakerKeeper } from '../../gateway/health/breaker-keeper.ts'
import { HealthBoard } from '../../gateway/health/health-board.ts'
import { createProbe } from '../../gateway/health/probe-target.ts'
import { createIdSource } from '../../gateway/id-source.ts'
import { Limits } from '../../gateway/limits/limits.ts'
import type { DrainLimits } from '../../gateway/money/background-drains.ts'
import type { HoldJournal } from '../../gateway/money/hold-journal.ts'
import type { LedgerLink } from '../../gateway/money/ledger-link.ts'
import { Money, type MoneyTimes } from '../../gateway/money/money.ts'
import type { GatewayParts } from '../../gateway/parts.ts'
import { provider as anthropic } from '../../gateway/providers/anthropic.ts'
import { provider as azure } from '../../gateway/providers/azure-openai.ts'
import { provider as bedrock } from '../../gateway/providers/bedrock.ts'
import { provider as cohere } from '../../gateway/providers/cohere.ts'
import { provider as google } from '../../gateway/providers/gemini.ts'
import { provider as openai } from '../../gateway/providers/openai.ts'
import { provider as compatible } from '../../gateway/providers/openai-compatible.ts'
import { provider as vertex } from '../../gateway/providers/vertex.ts'
import type { OpenShared } from '../../gateway/redis/open-shared.ts'
import { createGatewayServer, type GatewayServer } from '../../gateway/server.ts'
import { createSimulation } from '../../gateway/simulated/simulate.ts'
import type { Snapshot } from '../../gateway/snapshot.ts'
import { type AttemptDefaults, attemptDefaults } from '../../gateway/steps/attempt.ts'
import { type SharedOwners, StoredIds } from '../../gateway/stored-ids.ts'
import { newSpanIds } from '../../gateway/telemetry/span-ids.ts'
import type { FinishedCall } from '../../gateway/telemetry/telemetry.ts'
import { createUpstream, type Upstream } from '../../gateway/upstream/upstream.ts'
import { eventually } from './eventually.ts'
import { MemoryLedger } from './memory-ledger.ts'
import { memoryKey, memorySnapshot } from './memory-snapshot.ts'

/** The gateway's way of a call on a real socket, with its documents in memory. */
export interface RunningGateway {
  readonly url: string
  readonly server: GatewayServer
  readonly records: CallRecord[]
  readonly finished: FinishedCall[]
  readonly money: Money
  /** What was seen of targets; `clear()` forgets it. */
  readonly health: HealthBoard
  readonly limits: Limits
  readonly answers: AnswerCache
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
  /** When breakers open and close. */
  readonly breakers?: BreakerRules
  /** Numbers that selections and waits are drawn with; 7 where left out. */
  readonly random?: () => number
  /** Where leases come from; an empty one where left out. */
  readonly ledger?: LedgerLink
  readonly moneyTimes?: MoneyTimes
  /** Where batches are kept; without it they pass as other calls do. */
  readonly batchLink?: BatchLink
  readonly incarnation?: string
  readonly holdJournal?: HoldJournal
  readonly drainLimits?: DrainLimits
  /** Limits and answers; in memory where left out. */
  readonly shared?: Pick<OpenShared, 'limits' | 'answers' | 'sharedStore'> &
    Partial<Pick<OpenShared, 'owners'>>
  /** What gateways know together of stored things, where it is not in the shared store. */
  readonly owners?: SharedOwners
  /** Something between the calls and the way out. */
  readonly watchUpstream?: (upstream: Upstream) => Upstream
  /** Records and finished calls that are kept; all where left out. */
  readonly keep?: number
}

const byId = <T extends { readonly id: string }>(...all: T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]))

export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const records: CallRecord[] = []
  const finished: FinishedCall[] = []
  const clock = (): number => performance.timeOrigin + performance.now()
  const ownUpstream = createUpstream(clock)
  const upstream = options.watchUpstream?.(ownUpstream) ?? ownUpstream
  const keep = options.keep ?? Number.POSITIVE_INFINITY
  let sequence = 0
  const running: { snapshot: Snapshot | undefined } = { snapshot: options.snapshot ?? memorySnapshot() }
  const identity = { gatewayId: 'gateway-1', incarnation: options.incarnation ?? 'incarnation-1', region: '' }
  const log = createLogger('gateway-test', 'silent')
  const money = new Money({
    link: options.ledger ?? new MemoryLedger(),
    incarnation: identity.incarnation,
    clock: { nowMs: clock, monotonicMs: () => performance.now() },
    createId: createIdSource(),
    log,
    ...(options.moneyTimes !== undefined && { times: options.moneyTimes }),
    ...(options.drainLimits !== undefined && { drainLimits: options.drainLimits }),
    ...(options.holdJournal !== undefined && { journal: options.holdJournal }),
  })
  money.start()
  const health: HealthBoard = new HealthBoard({
    clock,
    ...(options.breakers !== undefined && { rules: options.breakers }),
    onTrouble: () => keeper.wake(),
  })
  const keeper = new BreakerKeeper({ board: health, clock, probe: createProbe(upstream, clock), tickMs: 5 })
  const batches =
    options.batchLink === undefined
      ? undefined
      : new BatchKeeper({
          link: options.batchLink,
          incarnation: identity.incarnation,
          random: () => 0.5,
          log,
          times: { lookMs: 50, againMsMin: 20, againMsMax: 20, retryMs: 20 },
        })
  const parts: GatewayParts = {
    identity,
    batches,
    dialects: byId(openAi, openAiChat, openAiResponses, anthropicMessages, gemini, passthrough, vercelAi),
    providers: byId(openai, anthropic, compatible, google, vertex, bedrock, cohere, azure),
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
    keyPools: new KeyPools(),
    health,
    money,
    answers: options.shared?.answers ?? new AnswerCache({ clock, bytesMax: 16 * 1024 * 1024 }),
    limits: options.shared?.limits ?? new Limits({ clock }),
    sharedStore: options.shared?.sharedStore,
    storedIds: new StoredIds({ shared: options.owners ?? options.shared?.owners }),
    simulate: createSimulation(clock, { pauseMs: options.pauseMs ?? 0 }),
    clock,
    random: options.random ?? (() => 7),
    createId: createIdSource(),
    log,
    attemptDefaults: { ...attemptDefaults, ...options.defaults },
    bodyBytesMax: options.bodyBytesMax ?? 32 * 1024 * 1024,
  }
  batches?.startWith(parts)
  const server = createGatewayServer(parts)
  const url = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`
  return Object.assign(running, {
    url,
    server,
    records,
    finished,
    money,
    health,
    limits: parts.limits,
    answers: parts.answers,
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
      keeper.close()
      await server.drain(0)
      await batches?.close()
      parts.ended.flush()
      await money.close(1000)
      await upstream.close()
    },
  })
}
