import { type BodyOf, type limitOperations, Refusal } from '@signalbox/sdk/contract'
import type { Permit } from './authorize.ts'
import type { Queryable, Transaction } from './db/connect.ts'
import { findOwner } from './find-owner.ts'
import {
  findLimitOf,
  insertLimit,
  type LimitRow,
  type PlacedLimit,
  placeOf,
  updateLimit,
} from './stores/limits.ts'

export type WantedLimit = BodyOf<(typeof limitOperations)['setLimit']>
export interface LimitTools {
  readonly nowMs: () => number
  readonly newId: () => string
}
/** A change of a limit that is allowed, before it is made. */
export interface LimitChange {
  readonly before: PlacedLimit | undefined
  readonly after: PlacedLimit
}

/** @throws Refusal `conflict` where somebody else was faster. */
export function checkLimitRevision(row: LimitRow | undefined, seen: number | undefined): void {
  const now = row?.revision ?? 0
  if (seen === undefined || seen === now) return
  const state = row === undefined ? 'there is no such limit now' : `it is at revision ${now}`
  throw new Refusal('conflict', {
    message: `The limit was changed by somebody else: this change was made on revision ${seen}, and ${state}.`,
    param: 'revision',
  })
}

/**
 * What a limit would be after a change.
 * @throws Refusal `not_found`, `invalid_request`, and `conflict` where the wish names another revision.
 */
export async function planLimit(
  q: Queryable,
  tools: LimitTools,
  wish: {
    readonly organisationId: string
    readonly wanted: WantedLimit
    readonly managedBy?: 'api' | 'workspace'
    /** Of who asks; absent where a deployment does. */
    readonly permit?: Permit
  },
): Promise<LimitChange> {
  const { organisationId, wanted, managedBy } = wish
  const { unit, window = null, model = null, metadata = null, per = null } = wanted
  if ((unit === 'concurrency') !== (window === null)) {
    const message =
      window === null ? `A limit of ${unit} needs a window.` : 'A limit of concurrency has no window.'
    throw new Refusal('invalid_request', { message, param: 'window' })
  }
  const { path, ...owner } = await findOwner(
    q,
    { organisationId, what: 'limit', permit: wish.permit },
    wanted,
  )
  const what = { unit, window, model, metadata, per }
  const place = placeOf(what)
  const before = await findLimitOf(q, organisationId, { ...owner, place })
  checkLimitRevision(before, wanted.revision)
  const start: PlacedLimit = before ?? {
    ...{ id: tools.newId(), organisationId, ...owner, ...what, place, path },
    ...{ mode: 'hard', managedBy: 'api', limit: 0, revision: 0, createdMs: tools.nowMs() },
  }
  const after: PlacedLimit = {
    ...start,
    limit: wanted.limit,
    mode: wanted.mode ?? start.mode,
    managedBy: managedBy ?? start.managedBy,
  }
  const isSame =
    before !== undefined &&
    before.limit === after.limit &&
    before.mode === after.mode &&
    before.managedBy === after.managedBy
  return { before, after: isSame ? after : { ...after, revision: start.revision + 1 } }
}

/**
 * Makes or changes a limit.
 * @throws Refusal `conflict` where somebody else was faster.
 */
export async function writeLimit(tx: Transaction, { before, after }: LimitChange): Promise<void> {
  const { path: _, ...row } = after
  if (before === undefined) {
    await insertLimit(tx, row)
    return
  }
  if (!(await updateLimit(tx, row, before.revision))) {
    throw new Refusal('conflict', { message: 'The limit has just been changed by somebody else.' })
  }
}
