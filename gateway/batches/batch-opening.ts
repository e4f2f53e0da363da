import { setImmediate as yieldToOthers } from 'node:timers/promises'
import {
  type BatchChange,
  type BatchJob,
  type BatchKind,
  type BatchWish,
  batchModelsMax,
  Refusal,
} from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { UpstreamRequest } from '../provider.ts'
import type { Target } from '../targets.ts'
import type { AttemptTrail } from '../trail.ts'
import type { JsonItem } from '../wire/json-scan.ts'
import { spliceRequest } from '../wire/json-splice.ts'
import { BatchBounds } from './batch-bounds.ts'
import { type AskedBatch, endpointOf, linesOfBatch, refusalAt } from './batch-input.ts'
import type { BatchKeeper } from './batch-keeper.ts'
import type { OpenBatchReply } from './batch-link.ts'
import { decideLine, type LineScope } from './decide-line.ts'

/** A batch is looked through for so long at a stretch; then other calls have their turn. */
const stretchMs = 4

/** What was to be kept is named, so that it is not kept where the batch is noted after this only. */
function notTaken(wishes: readonly BatchWish[]): BatchChange {
  const settled = wishes.map(({ leaseId }) => ({ leaseId, amount: '0' }))
  return { type: 'ended', outcome: 'refused', settled, metered: 0 }
}

/** A job that was noted and not begun yet. */
interface OpenJob {
  readonly job: BatchJob
  readonly wishes: readonly BatchWish[]
  isTold: boolean
}
/** What was found in the lines of a batch. */
interface ReadBatch {
  readonly lines: number
  readonly models: readonly string[]
  readonly bounds: BatchBounds
  /** Bodies under the names that the provider knows, in order; only what differs. */
  readonly renamed: readonly { readonly span: JsonItem; readonly body: Buffer }[]
}
/** An attempt to make it. */
export interface BatchAttempt {
  readonly call: Call
  readonly target: Target
  readonly request: UpstreamRequest
  /** Whether somebody still waits for an answer. */
  readonly isWanted: () => boolean
}
export interface OpeningScope extends LineScope {
  readonly callId: string
  readonly kind: BatchKind
  readonly keeper: BatchKeeper
}

/**
 * A batch from its call to the job that outlives it. Before it goes out every line is decided and bounded, and what all
 * may cost is kept at the control plane; after that the job has the provider's id, or nothing is kept.
 */
export class BatchOpening {
  readonly #scope: OpeningScope
  #open: OpenJob | undefined

  constructor(scope: OpeningScope) {
    this.#scope = scope
  }

  /**
   * Gives the request that may go out.
   * @throws Refusal for a line that may not be, or where what it may cost cannot be kept.
   */
  async open({ call, target: { connection }, request, isWanted }: BatchAttempt): Promise<UpstreamRequest> {
    const { kind, keeper, callId, caller, parts } = this.#scope
    if (connection.status === 'simulated') {
      throw new Refusal('unsupported_feature', {
        message: `${connection.name} is simulated and keeps nothing.`,
      })
    }
    const asked: AskedBatch = { kind, call, connection: connection.name }
    const read = await this.#read(asked, isWanted)
    const job: BatchJob = {
      batchId: parts.createId(),
      ...{ callId, kind, connection: connection.name, keyId: caller.key.id, nodeId: caller.key.node },
      ...{ endpoint: endpointOf(asked), models: [...read.models], lines: read.lines },
      createdMs: Math.floor(parts.clock()),
    }
    const wishes = read.bounds.sums().map(({ set, amount }): BatchWish => {
      const budgets = set.budgets.map(({ id }) => id)
      const each = { need: String(amount), want: String(amount) }
      return { leaseId: parts.createId(), unit: set.unit, budgets, ...each }
    })
    const reply = await keeper.open(job, wishes).catch((error: unknown) => {
      // It may have been heard all the same, or be heard later.
      keeper.tell(job.batchId, notTaken(wishes))
      throw awayRefusal(error)
    })
    if (!reply.opened) throw exhausted(reply)
    this.#open = { job, wishes, isTold: false }
    return withNames(request, read.renamed)
  }

  async #read(asked: AskedBatch, isWanted: () => boolean): Promise<ReadBatch> {
    const { snapshot, budgets, parts } = this.#scope
    const bounds = new BatchBounds(budgets)
    const models = new Set<string>()
    const renamed: { span: JsonItem; body: Buffer }[] = []
    const param = asked.call.native?.job?.input ?? 'requests'
    let lines = 0
    let sinceMs = parts.clock()
    for await (const { place, call, span } of linesOfBatch(asked, snapshot, parts)) {
      try {
        const decided = await decideLine(call, asked.connection, this.#scope)
        bounds.add(call, decided)
        const { model } = decided.target
        if (span === undefined && decided.isRenamed) throw renamedInFile(call.model, model)
        models.add(span === undefined ? call.model : model)
        if (span !== undefined && model !== call.model) {
          const edit = { path: ['model'], value: JSON.stringify(model) } as const
          renamed.push({ span, body: spliceRequest(call.raw, [edit]) })
        }
      } catch (error) {
        throw refusalAt(place, error, param)
      }
      if (models.size > batchModelsMax) throw tooManyModels(param)
      lines++
      if (parts.clock() - sinceMs < stretchMs) continue
      await yieldToOthers()
      if (!isWanted()) throw new Refusal('client_closed')
      sinceMs = parts.clock()
    }
    return { lines, models: [...models], bounds, renamed }
  }

  /** The provider took it, under this id. */
  answered(ids: readonly string[]): void {
    const open = this.#open
    const [providerId] = ids
    if (open === undefined || open.isTold || providerId === undefined) return
    open.isTold = true
    this.#scope.keeper.tell(open.job.batchId, { type: 'started', providerId })
  }

  /** The attempt is over. What a provider has surely not taken keeps nothing; what it may have is stranded in time. */
  close({ sent, status }: Pick<AttemptTrail, 'sent' | 'status'>): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined || open.isTold) return
    const isRefused = !sent || (status !== 0 && (status < 200 || status >= 300))
    if (isRefused) this.#scope.keeper.tell(open.job.batchId, notTaken(open.wishes))
  }
}

/** Without the control plane nobody can keep for a day what a batch may cost. */
function awayRefusal(error: unknown): Refusal {
  const message = 'A batch is noted at the control plane, which does not answer. Try again.'
  return new Refusal('not_ready', { message, retryAfterS: 5, detail: String(error) })
}

function exhausted({ leases }: OpenBatchReply): Refusal {
  const refusedBy = leases.find((lease) => lease.refusedBy !== undefined)?.refusedBy
  const resetsAtMs = refusedBy?.resetsAtMs
  const resets = typeof resetsAtMs === 'number' ? ` It resets at ${new Date(resetsAtMs).toISOString()}.` : ''
  return new Refusal('budget_exhausted', {
    message: `A budget has not enough left for all that this batch may cost.${resets}`,
    ...(refusedBy !== undefined && {
      detail: `budget ${refusedBy.budgetId} has ${refusedBy.available} left`,
    }),
  })
}

const renamedInFile = (name: string, model: string): Refusal =>
  new Refusal('unsupported_feature', {
    message: `The provider reads the file itself and does not know "${name.slice(0, 80)}": write "${model}".`,
  })
const tooManyModels = (param: string): Refusal =>
  new Refusal('invalid_request', { message: `A batch names at most ${batchModelsMax} models.`, param })

/** The same request with other bodies where they stand. */
function withNames(request: UpstreamRequest, renamed: ReadBatch['renamed']): UpstreamRequest {
  if (renamed.length === 0) return request
  const pieces: Buffer[] = []
  let at = 0
  for (const { span, body } of renamed) {
    pieces.push(request.body.subarray(at, span.start), body)
    at = span.end
  }
  pieces.push(request.body.subarray(at))
  return { ...request, body: Buffer.concat(pieces) }
}
