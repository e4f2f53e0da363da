import { setTimeout as wait } from 'node:timers/promises'
import type { BatchOutcome, CallRecord, ClaimedBatch, SettlementReport } from '@signalbox/sdk/contract'
import type { Call, UsageCounts } from '../call.ts'
import { derivedId } from '../derived-id.ts'
import { keptRecord } from '../kept-record.ts'
import { tokensOf } from '../money/attempt-hold.ts'
import type { GatewayParts } from '../parts.ts'
import { costOf, isPlausibleUsage } from '../prices.ts'
import type { Snapshot } from '../snapshot.ts'
import { type Target, targetsOf } from '../targets.ts'
import { isListed } from '../unrecorded.ts'
import type { Exchange } from '../upstream/exchange.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import { readAnyUsage } from '../wire/openai-operations/any-usage.ts'
import { askConnection } from './ask-connection.ts'
import { routeOf } from './batch-input.ts'
import { batchManners, type LineResult } from './batch-manner.ts'
import { batchPrices } from './batch-prices.ts'
import { linesOf } from './lines-of.ts'

/** What a batch came to. */
export interface Metered {
  readonly outcome: BatchOutcome
  /** Lines with a result. */
  readonly lines: number
  /** By lease. */
  readonly settled: ReadonlyMap<string, bigint>
}
export interface MeterTools {
  readonly signal: AbortSignal
  /** Stores lines that are metered; false where another gateway looks after the batch now. */
  readonly take: (settlements: SettlementReport[]) => Promise<boolean>
}

/** Lines that are told at once; the journal of records gets a moment after each. */
const linesAtOnce = 400
const pauseMs = 40
/** A line that was done and tells no usage is estimated by its length. */
const bytesPerToken = 4

/**
 * Looks at a batch at its provider and, where it is over, meters every line of its results: a record and a settlement
 * each, the same for the same line however often it is read. Undefined where it still runs.
 * @throws Error where the provider cannot be read; nothing is settled then.
 */
export async function meterBatch(
  claimed: ClaimedBatch,
  parts: GatewayParts,
  tools: MeterTools,
): Promise<Metered | undefined> {
  const { job, providerId } = claimed
  const manner = batchManners[job.kind]
  const snapshot = parts.snapshots.current()
  const at = { connection: job.connection, collection: manner.collection }
  const exchange = await askConnection({ ...at, path: manner.statusPath(providerId) }, snapshot, parts)
  const stand = manner.readStand(await jsonOf(exchange), providerId)
  if (stand === undefined) throw new Error('the provider says nothing of it that can be read')
  if (stand.state === 'running') return undefined
  const endedMs = Math.floor(stand.endedMs ?? job.createdMs)
  const meter = new BatchMeter({ claimed, snapshot, parts, endedMs }, tools)
  for (const path of stand.results) {
    const kept = { connection: job.connection, collection: manner.results, path }
    await meter.read(await askConnection(kept, snapshot, parts))
  }
  await meter.flush()
  return { outcome: stand.outcome, lines: meter.lines, settled: meter.settled }
}

async function jsonOf(exchange: Exchange): Promise<unknown> {
  exchange.flow()
  const body = await readWhole(exchange)
  if (!Buffer.isBuffer(body)) throw new Error(`${body.kind}: ${body.detail}`)
  if (exchange.status !== 200) throw new Error(`status ${exchange.status}`)
  return parseBody(body)
}

interface MeterScope {
  readonly claimed: ClaimedBatch
  readonly snapshot: Snapshot
  readonly parts: GatewayParts
  readonly endedMs: number
}
/** What one line used and cost. */
interface LineCost {
  readonly target: Target | undefined
  readonly usage: UsageCounts | undefined
  readonly evidence: 'reported' | 'estimated' | 'none'
  readonly costNanoUsd: bigint | undefined
}

class BatchMeter {
  readonly settled: Map<string, bigint>
  readonly #scope: MeterScope
  readonly #tools: MeterTools
  readonly #seen = new Set<string>()
  readonly #targets = new Map<string, Target | undefined>()
  readonly #operation: Call['operation']
  readonly #dialect: string
  #waiting: SettlementReport[] = []
  #untold = 0

  constructor(scope: MeterScope, tools: MeterTools) {
    this.#scope = scope
    this.#tools = tools
    this.settled = new Map(scope.claimed.leases.map(({ leaseId }) => [leaseId, 0n]))
    const route = routeOf(scope.claimed.job.endpoint, scope.parts.dialects)
    this.#operation = route?.operation ?? 'batches'
    this.#dialect = route?.dialect.id ?? scope.claimed.job.kind
  }

  get lines(): number {
    return this.#seen.size
  }

  async read(exchange: Exchange): Promise<void> {
    try {
      if (exchange.status !== 200) throw new Error(`status ${exchange.status}`)
      const { readLine } = batchManners[this.#scope.claimed.job.kind]
      for await (const bytes of linesOf(exchange)) {
        const result = readLine(parseBody(bytes))
        if (result === undefined) throw new Error('a line of its results cannot be read')
        await this.#take(result, bytes.length)
      }
    } finally {
      exchange.abort('the results of a batch are read')
    }
  }

  async #take(result: LineResult, bytes: number): Promise<void> {
    const { line } = result
    if (this.#seen.has(line)) return
    this.#seen.add(line)
    const { claimed, snapshot, parts, endedMs } = this.#scope
    const cost = this.#costOf(result, bytes)
    const id = lineId(claimed.job.batchId, line, endedMs)
    const known = cost.target !== undefined && isListed(cost.target, { snapshot })
    parts.ended.told((sequence) =>
      keptRecord(this.#recordOf(id, result, { cost, sequence, bytes }), snapshot, known),
    )
    for (const { leaseId, unit } of claimed.leases) {
      const amount = unit === 'usd' ? (cost.costNanoUsd ?? 0n) : BigInt(tokensOf(cost.usage ?? {}))
      if (amount === 0n || cost.evidence === 'none') continue
      this.settled.set(leaseId, (this.settled.get(leaseId) ?? 0n) + amount)
      const actual = String(amount)
      const { evidence } = cost
      this.#waiting.push({
        callId: id,
        attempt: 0,
        leaseId,
        hold: '0',
        actual,
        overrun: '0',
        evidence,
        timeMs: endedMs,
      })
    }
    if (++this.#untold >= linesAtOnce) await this.flush()
  }

  /** Tells what is metered so far. */
  async flush(): Promise<void> {
    const settlements = this.#waiting
    this.#waiting = []
    const isLong = this.#untold >= linesAtOnce
    this.#untold = 0
    if (!isLong && settlements.length === 0) return
    if (!(await this.#tools.take(settlements))) throw new Error('another gateway looks after it')
    if (isLong) await wait(pauseMs, undefined, { signal: this.#tools.signal })
  }

  /** The model of a line: of those that the batch was made with, the one that the answer's is a version of. */
  #targetOf(body: LineResult['body']): Target | undefined {
    const { claimed, snapshot, parts } = this.#scope
    const { models, connection } = claimed.job
    const told = typeof body?.model === 'string' ? body.model : ''
    const known = this.#targets.get(told)
    if (known !== undefined) return known
    const versions = models.filter((model) => told.startsWith(model)).toSorted((a, b) => b.length - a.length)
    const name = models.length === 1 ? models[0] : (versions[0] ?? (told === '' ? undefined : told))
    if (name === undefined || name === '') return undefined
    const table = targetsOf(snapshot, parts.providers)
    const at = table.connections.get(connection)
    const target = at === undefined ? undefined : table.find(table.canonicalName(at, name))
    this.#targets.set(told, target)
    return target
  }

  #costOf({ body, status }: LineResult, bytes: number): LineCost {
    const target = this.#targetOf(body)
    if (body === undefined || status < 200 || status >= 300) {
      return { target, usage: undefined, evidence: 'none', costNanoUsd: 0n }
    }
    if (this.#operation === 'moderation') return { target, usage: {}, evidence: 'reported', costNanoUsd: 0n }
    const isOwn = this.#scope.claimed.job.kind === 'anthropic'
    const reported = isOwn ? target?.provider.readUsage(body) : readAnyUsage(body)
    const isTold = reported !== undefined && isPlausibleUsage(reported)
    const tokens = Math.ceil(bytes / bytesPerToken)
    const usage = isTold ? reported : { input: tokens, output: tokens }
    const costNanoUsd = target === undefined ? undefined : costOf(usage, batchPrices(target))
    return { target, usage, evidence: isTold ? 'reported' : 'estimated', costNanoUsd }
  }

  #recordOf(
    id: string,
    result: LineResult,
    rest: { readonly cost: LineCost; readonly sequence: number; readonly bytes: number },
  ): CallRecord {
    const { claimed, snapshot, parts, endedMs } = this.#scope
    const { job, providerId } = claimed
    const { batchId, callId } = job
    const { target, usage, evidence, costNanoUsd } = rest.cost
    const { release } = snapshot
    const isDone = result.status >= 200 && result.status < 300
    return {
      row: {
        ...{ id, organisationId: release.organisationId, environment: release.environment },
        gatewayId: parts.identity.gatewayId,
        incarnation: parts.identity.incarnation,
        sequence: rest.sequence,
        timeMs: endedMs,
        durationMs: Math.max(0, endedMs - job.createdMs),
        ...{ keyId: job.keyId, nodeId: job.nodeId, operation: this.#operation, dialect: this.#dialect },
        stream: false,
        modelRequested: (target?.model ?? job.models[0] ?? '').slice(0, 256),
        ...(target !== undefined && { target: target.shownName.slice(0, 256), provider: target.provider.id }),
        effect: 'allow',
        status: result.status,
        ...(!isDone && { errorCode: 'upstream_error' }),
        ...{ truncated: false, attempts: 1, usage: usage ?? {}, evidence },
        ...(costNanoUsd !== undefined && { costNanoUsd: String(costNanoUsd) }),
        ...{ metadata: {}, cache: 'off', identity: true, assembled: false },
      },
      body: {
        ...{ factsClass: 'digest', policies: [], fuel: 0, evaluationUs: 0, attempts: [], verdicts: [] },
        batch: { batchId, callId, providerId, line: result.line.slice(0, 256) },
        ...{ dropped: [], undeclaredMetadata: [], text: { received: rest.bytes, delivered: 0 } },
      },
    }
  }
}

/** The same for the same line of the same batch, in the order of the ends of batches. */
const lineId = (batchId: string, line: string, endedMs: number): string =>
  derivedId(`batch ${batchId} ${line}`, endedMs)
