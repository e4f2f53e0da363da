import { and, asc, eq, gt, inArray, or, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { budget, budgetAlert, budgetWindow, transfer } from '../db/schema.ts'
import type { Movement } from '../ledger/merge-report.ts'
import { windowAt } from '../ledger/window-bounds.ts'
import { type BudgetRow, limitAt, loadWindows, type WindowRow } from './budgets.ts'

/** Milliseconds since 1970, of the clock that windows and leases go by. */
export type Clock = (q: Queryable) => Promise<number>
/** A window of a locked budget; its sums change by `move` alone. */
export interface OpenWindow extends WindowRow {
  readonly budget: BudgetRow
}
export interface WindowKey {
  readonly budgetId: string
  readonly startMs: number
}
type TransferRow = Omit<typeof transfer.$inferSelect, 'id'>
export type AlertKind = (typeof budgetAlert.$inferSelect)['kind']

/** The database's clock, in milliseconds since 1970. */
export const databaseClock: Clock = async (q) => {
  const { rows } = await q.execute<{ now: string }>(
    sql`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
  )
  return Number(rows[0]?.now)
}

const keyOf = ({ budgetId, startMs }: WindowKey): string => `${budgetId} ${startMs}`
const json = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
const iso = (timeMs: number): string => new Date(timeMs).toISOString()

/**
 * Budgets that are locked until the transaction ends, with the windows that were asked for. Everything that moves money
 * goes through here: a budget's row stands for all its windows, and rows are locked in ascending order of their ids, so
 * two transactions never wait for each other in a circle. Movements are written at once by `flush`.
 */
export class Book {
  readonly organisationId: string
  readonly nowMs: number
  /** Locked budgets by id, deleted ones too. */
  readonly budgets: ReadonlyMap<string, BudgetRow>
  readonly #tx: Transaction
  readonly #windows = new Map<string, OpenWindow>()
  readonly #changed = new Set<OpenWindow>()
  readonly #transfers: TransferRow[] = []
  readonly #alerts = new Map<string, { window: OpenWindow; kind: AlertKind; thresholdPpm: number }>()

  constructor(
    tx: Transaction,
    state: { organisationId: string; nowMs: number; budgets: ReadonlyMap<string, BudgetRow> },
  ) {
    this.#tx = tx
    this.organisationId = state.organisationId
    this.nowMs = state.nowMs
    this.budgets = state.budgets
  }

  /**
   * The windows that hold now, by budget; made where there is none yet. A row that covers the present wins over the
   * rule: so another zone or fiscal start counts from the end of the running window, and a clock that is set back finds
   * the window as it was left.
   */
  async openCurrent(ids: readonly string[]): Promise<Map<string, OpenWindow>> {
    const { nowMs } = this
    const newest = new Map(
      (await loadWindows(this.#tx, ids, { beforeMs: nowMs })).map((row) => [row.budgetId, row]),
    )
    const missing: string[] = []
    const found = new Map<string, OpenWindow>()
    for (const id of ids) {
      const row = newest.get(id)
      if (row !== undefined && (row.endMs === null || row.endMs > nowMs)) found.set(id, this.#take(row))
      else missing.push(id)
    }
    const later = missing.length === 0 ? new Map<string, number>() : await this.#laterStarts(missing)
    for (const id of missing) {
      const row = this.#budget(id)
      const bounds = windowAt(row, nowMs)
      const next = later.get(id)
      const endMs = next !== undefined && (bounds.endMs ?? next) >= next ? next : bounds.endMs
      const startMs = Math.max(bounds.startMs, newest.get(id)?.endMs ?? 0)
      found.set(id, this.#take({ ...this.#emptySums(id), startMs, endMs }))
    }
    return found
  }

  #emptySums(budgetId: string) {
    const sums = { settled: 0n, leased: 0n, stranded: 0n, overrun: 0n, wouldRefuse: 0, refusedMs: null }
    return { ...sums, organisationId: this.organisationId, budgetId, limit: 0n }
  }

  async #laterStarts(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#tx
      .select({ budgetId: budgetWindow.budgetId, startMs: budgetWindow.startMs })
      .from(budgetWindow)
      .where(and(inArray(budgetWindow.budgetId, [...ids]), gt(budgetWindow.startMs, this.nowMs)))
      .orderBy(sql`${budgetWindow.startMs} desc`)
    return new Map(rows.map((row) => [row.budgetId, row.startMs]))
  }

  /** Windows that leases belong to. */
  async openWindows(keys: readonly WindowKey[]): Promise<void> {
    const wanted = keys.filter((key) => !this.#windows.has(keyOf(key)))
    if (wanted.length === 0) return
    const distinct = [...new Map(wanted.map((key) => [keyOf(key), key])).values()]
    const rows = await this.#tx
      .select()
      .from(budgetWindow)
      .where(
        or(
          ...distinct.map((key) =>
            and(eq(budgetWindow.budgetId, key.budgetId), eq(budgetWindow.startMs, key.startMs)),
          ),
        ),
      )
    for (const row of rows) this.#take(row)
  }

  #budget(id: string): BudgetRow {
    const row = this.budgets.get(id)
    if (row === undefined) throw new Error(`budget ${id} is not locked`)
    return row
  }

  #take(row: WindowRow): OpenWindow {
    const known = this.#windows.get(keyOf(row))
    if (known !== undefined) return known
    const owner = this.#budget(row.budgetId)
    const running = row.endMs === null || row.endMs > this.nowMs
    const limit = running ? limitAt(owner, this.nowMs) : row.limit
    const window = { ...row, limit, budget: owner }
    this.#windows.set(keyOf(row), window)
    return window
  }

  /** An open window. @throws Error where it was not asked for. */
  window(key: WindowKey): OpenWindow {
    const window = this.#windows.get(keyOf(key))
    if (window === undefined) throw new Error(`window ${keyOf(key)} is not open`)
    return window
  }

  /** All that were opened. */
  windows(): OpenWindow[] {
    return [...this.#windows.values()]
  }

  /** The limit of a budget has changed in this transaction. */
  replaceBudget(row: BudgetRow): void {
    for (const window of this.#windows.values()) {
      if (window.budgetId !== row.id) continue
      Object.assign(window, { budget: row, limit: limitAt(row, this.nowMs) })
      this.#noteThresholds(window, -1n)
      this.#changed.add(window)
    }
  }

  /** Moves money in one window. Nothing moves where all differences are zero. */
  move(
    window: OpenWindow,
    kind: TransferRow['kind'],
    by: Movement & { readonly leaseId?: string; readonly actor?: string },
  ): void {
    const { leaseId = null, actor = null, ...differences } = by
    if (Object.values(differences).every((each) => each === 0n)) return
    const spentBefore = window.settled + window.overrun
    window.settled += by.settled
    window.leased += by.leased
    window.stranded += by.stranded
    window.overrun += by.overrun
    this.#changed.add(window)
    const { organisationId, nowMs: timeMs } = this
    const { budgetId, startMs: windowStartMs } = window
    this.#transfers.push({
      organisationId,
      budgetId,
      windowStartMs,
      leaseId,
      kind,
      ...differences,
      actor,
      timeMs,
    })
    this.#noteThresholds(window, spentBefore)
    if (by.overrun > 0n) this.alert(window, 'overrun')
    if (by.stranded > 0n) this.alert(window, 'stranded')
  }

  #noteThresholds(window: OpenWindow, spentBefore: bigint): void {
    const spent = window.settled + window.overrun
    for (const ppm of window.budget.alertsPpm) {
      const threshold = window.limit * BigInt(ppm)
      if (spent > 0n && spent * 1_000_000n >= threshold && spentBefore * 1_000_000n < threshold) {
        this.alert(window, 'threshold', ppm)
      }
    }
  }

  /** Somebody is to be told, unless it was said of this window already. */
  alert(window: OpenWindow, kind: AlertKind, thresholdPpm = 0): void {
    this.#alerts.set(`${keyOf(window)} ${kind} ${thresholdPpm}`, { window, kind, thresholdPpm })
    this.#changed.add(window)
  }

  /** Counts what a hard budget refuses, or another one would have refused. */
  refuse(window: OpenWindow): void {
    // Once a second is enough to know that others wait.
    if (window.budget.mode === 'hard' && this.nowMs - (window.refusedMs ?? 0) < 1000) return
    if (window.budget.mode !== 'hard') window.wouldRefuse++
    window.refusedMs = this.nowMs
    this.alert(window, 'exhausted')
  }

  /** Writes windows, transfers and alerts. */
  async flush(): Promise<void> {
    if (this.#changed.size > 0) await this.#writeWindows()
    if (this.#transfers.length > 0) await this.#writeTransfers()
    if (this.#alerts.size > 0) await this.#writeAlerts()
    this.#changed.clear()
    this.#transfers.length = 0
    this.#alerts.clear()
  }

  async #writeWindows(): Promise<void> {
    const rows = [...this.#changed].map(({ budget: _, startMs, endMs, refusedMs, ...rest }) => ({
      ...rest,
      start: iso(startMs),
      end: endMs === null ? null : iso(endMs),
      refused: refusedMs === null ? null : iso(refusedMs),
    }))
    await this.#tx.execute(sql`
      insert into ${budgetWindow} (organisation_id, budget_id, start, "end", limit_amount, settled, leased, stranded,
        overrun, would_refuse, refused)
      select "organisationId", "budgetId", start, "end", "limit", settled, leased, stranded, overrun, "wouldRefuse", refused
      from jsonb_to_recordset(${json(rows)}::jsonb) as r("organisationId" uuid, "budgetId" uuid, start timestamptz,
        "end" timestamptz, "limit" bigint, settled bigint, leased bigint, stranded bigint, overrun bigint,
        "wouldRefuse" int, refused timestamptz)
      on conflict (budget_id, start) do update set limit_amount = excluded.limit_amount, settled = excluded.settled,
        leased = excluded.leased, stranded = excluded.stranded, overrun = excluded.overrun,
        would_refuse = excluded.would_refuse, refused = excluded.refused`)
  }

  async #writeTransfers(): Promise<void> {
    const rows = this.#transfers.map(({ windowStartMs, timeMs, ...rest }) => ({
      ...rest,
      start: iso(windowStartMs),
      time: iso(timeMs),
    }))
    await this.#tx.execute(sql`
      insert into ${transfer} (organisation_id, budget_id, window_start, lease_id, kind, settled, leased, stranded,
        overrun, actor, time)
      select "organisationId", "budgetId", start, "leaseId", kind, settled, leased, stranded, overrun, actor, time
      from jsonb_to_recordset(${json(rows)}::jsonb) as r("organisationId" uuid, "budgetId" uuid, start timestamptz,
        "leaseId" uuid, kind text, settled bigint, leased bigint, stranded bigint, overrun bigint, actor text,
        time timestamptz)`)
  }

  async #writeAlerts(): Promise<void> {
    const { organisationId, nowMs } = this
    const rows = [...this.#alerts.values()].map(({ window, kind, thresholdPpm }) => ({
      organisationId,
      budgetId: window.budgetId,
      windowStartMs: window.startMs,
      kind,
      thresholdPpm,
      spent: window.settled + window.overrun,
      limit: window.limit,
      timeMs: nowMs,
    }))
    await this.#tx.insert(budgetAlert).values(rows).onConflictDoNothing()
  }
}

/** Locks budgets of an organisation until the transaction ends, and reads the clock after that. */
export async function openBook(
  tx: Transaction,
  scope: { readonly organisationId: string; readonly budgetIds: readonly string[]; readonly clock: Clock },
): Promise<Book> {
  const { organisationId } = scope
  const ids = [...new Set(scope.budgetIds)]
  const rows =
    ids.length === 0
      ? []
      : await tx
          .select()
          .from(budget)
          .where(and(eq(budget.organisationId, organisationId), inArray(budget.id, ids)))
          .orderBy(asc(budget.id))
          .for('no key update')
  const nowMs = await scope.clock(tx)
  return new Book(tx, { organisationId, nowMs, budgets: new Map(rows.map((row) => [row.id, row])) })
}
