import { Client, type QueryResultRow } from 'pg'
import type { BillingUpstream } from './billing-upstream.ts'
import type { GrownBudget } from './money-tree.ts'

/** A window of a budget as the ledger has it, in one snapshot with the leases that were deducted from it. */
interface WindowStand {
  readonly budgetId: string
  readonly start: string
  readonly settled: bigint
  readonly leased: bigint
  readonly stranded: bigint
  readonly overrun: bigint
  /** What active and stranded leases have left. */
  readonly inLeases: bigint
  readonly inStranded: bigint
}
/** A settlement, once for each budget that its lease was deducted from. */
export interface SettledRow {
  readonly callId: string
  readonly budgetId: string
  readonly hold: bigint
  readonly actual: bigint
  /** What of `actual` neither the hold nor a free lease paid for. */
  readonly overrun: bigint
  readonly evidence: 'reported' | 'estimated' | 'hold'
}
export interface LedgerStand {
  readonly windows: readonly WindowStand[]
  /** Sums of the holds of settlements that rest on no report, by budget. */
  readonly estimated: ReadonlyMap<string, bigint>
  /** What of them is beyond the holds, by budget: more came at once than a hold could grow in time. */
  readonly estimatedOverruns: ReadonlyMap<string, bigint>
}

const windowsSql = `
  with parts as (
    select x.budget_id, x.start, l.state, l.amount - l.settled as rest
    from lease l cross join unnest(l.budget_ids, l.window_starts) as x(budget_id, start)
    where l.budget_ids && $1::uuid[] and l.state <> 'closed'
  ), sums as (
    select budget_id, start, sum(rest) filter (where state = 'active') as active,
      sum(rest) filter (where state = 'stranded') as stranded
    from parts group by budget_id, start
  )
  select w.budget_id as "budgetId", w.start::text as start, w.settled::text, w.leased::text, w.stranded::text,
    w.overrun::text, coalesce(s.active, 0)::text as "inLeases", coalesce(s.stranded, 0)::text as "inStranded"
  from budget_window w left join sums s on s.budget_id = w.budget_id and s.start = w.start
  where w.budget_id = any($1::uuid[])`
const settledSql = `
  select s.call_id as "callId", x.budget_id as "budgetId", s.hold::text, s.actual::text, s.overrun::text,
    s.evidence
  from settlement s join lease l on l.id = s.lease_id cross join unnest(l.budget_ids) as x(budget_id)
  where l.budget_ids && $1::uuid[] and x.budget_id = any($1::uuid[])`
const estimatedSql = `
  select "budgetId", sum(hold::bigint)::text as holds, sum(overrun::bigint)::text as overruns
  from (${settledSql}) as r where evidence <> 'reported'
  group by "budgetId"`

/** Reads the ledger beside the control plane, so that what is checked is not what checks. */
export class LedgerReader {
  readonly #url: string
  #client: Client | undefined

  constructor(url: string) {
    this.#url = url
  }

  async #query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]> {
    if (this.#client === undefined) {
      const client = new Client({ connectionString: this.#url })
      client.on('error', () => {
        this.#client = undefined
      })
      await client.connect()
      this.#client = client
    }
    try {
      return (await this.#client.query<Row>(sql, values)).rows
    } catch (error) {
      const broken = this.#client
      this.#client = undefined
      await broken?.end().catch(() => undefined)
      throw error
    }
  }

  /** @throws Error while the database is away. */
  async stand(budgets: readonly GrownBudget[]): Promise<LedgerStand> {
    const ids = budgets.map(({ id }) => id)
    const rows = await this.#query<Record<string, string>>(windowsSql, [ids])
    const estimated = await this.#query<Record<'budgetId' | 'holds' | 'overruns', string>>(estimatedSql, [
      ids,
    ])
    const of = (row: Record<string, string>, name: string): bigint => BigInt(row[name] ?? 0)
    return {
      windows: rows.map((row) => ({
        ...{ budgetId: row.budgetId ?? '', start: row.start ?? '' },
        ...{ settled: of(row, 'settled'), leased: of(row, 'leased'), stranded: of(row, 'stranded') },
        ...{ overrun: of(row, 'overrun'), inLeases: of(row, 'inLeases'), inStranded: of(row, 'inStranded') },
      })),
      estimated: new Map(estimated.map(({ budgetId, holds }) => [budgetId, BigInt(holds)])),
      estimatedOverruns: new Map(estimated.map(({ budgetId, overruns }) => [budgetId, BigInt(overruns)])),
    }
  }

  async settlements(budgets: readonly GrownBudget[]): Promise<SettledRow[]> {
    const rows = await this.#query<
      Record<'callId' | 'budgetId' | 'hold' | 'actual' | 'overrun' | 'evidence', string>
    >(settledSql, [budgets.map(({ id }) => id)])
    return rows.map(({ callId, budgetId, hold, actual, overrun, evidence }) => ({
      ...{ callId, budgetId, hold: BigInt(hold), actual: BigInt(actual), overrun: BigInt(overrun) },
      evidence: evidence as SettledRow['evidence'],
    }))
  }

  /** Leases that are not closed, oldest first, in words. */
  async openLeases(budgets: readonly GrownBudget[]): Promise<{ id: string; text: string }[]> {
    return await this.#query<{ id: string; text: string }>(
      `select l.id, format('lease %s of %s (run %s), %s: %s of %s, %s settled, made %s, expires %s', l.id, g.name,
        l.incarnation, l.state, l.amount, l.granted, l.settled, l.created, l.expires) as text
       from lease l join gateway g on g.id = l.gateway_id
       where l.budget_ids && $1::uuid[] and l.state <> 'closed' order by l.created`,
      [budgets.map(({ id }) => id)],
    )
  }

  async run(sql: string, values: unknown[] = []): Promise<void> {
    await this.#query(sql, values)
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => undefined)
    this.#client = undefined
  }
}

const committedOf = ({ settled, leased, stranded }: WindowStand): bigint => settled + leased + stranded
const describe = (budget: GrownBudget, { start, ...sums }: WindowStand): string =>
  `${budget.prefix} ${budget.window} ${budget.unit} ${budget.mode} from ${start}, limit ${budget.limit}: ` +
  `${sums.settled} settled, ${sums.leased} leased, ${sums.stranded} stranded, ${sums.overrun} overrun`

/** What is true of the ledger at every moment (DESIGN §8), asked again and again while everything goes wrong. */
export class RunningRules {
  /** How often the ledger was looked at. */
  looks = 0
  readonly #budgets: ReadonlyMap<string, GrownBudget>
  readonly #upstream: BillingUpstream
  readonly #reader: LedgerReader
  readonly #before = new Map<string, WindowStand>()
  #limits = new Map<string, bigint>()

  constructor(given: { reader: LedgerReader; upstream: BillingUpstream; budgets: readonly GrownBudget[] }) {
    this.#budgets = new Map(given.budgets.map((budget) => [budget.id, budget]))
    this.#upstream = given.upstream
    this.#reader = given.reader
  }

  /** Gives each rule that is broken now, in words. @throws Error while the database is away. */
  async look(): Promise<string[]> {
    const budgets = [...this.#budgets.values()]
    const bills = new Map(budgets.map(({ id, prefix, unit }) => [id, this.#upstream.bill(prefix, unit)]))
    const limits = new Map(budgets.map(({ id, limit }) => [id, limit]))
    const stand = await this.#reader.stand(budgets)
    const broken = stand.windows.flatMap((window) => this.#checkWindow(window, limits, stand))
    this.#limits = limits
    for (const window of stand.windows) this.#before.set(`${window.budgetId} ${window.start}`, window)
    for (const budget of budgets) broken.push(...this.#checkBill(budget, stand, bills.get(budget.id) ?? 0n))
    this.looks++
    return broken
  }

  #checkWindow(
    window: WindowStand,
    limits: ReadonlyMap<string, bigint>,
    { estimatedOverruns }: LedgerStand,
  ): string[] {
    const budget = this.#budgets.get(window.budgetId)
    if (budget === undefined) return []
    const before = this.#before.get(`${window.budgetId} ${window.start}`)
    const broken: string[] = []
    const say = (rule: string): void => {
      broken.push(`${rule}: ${describe(budget, window)}`)
    }
    // Of a limit that has changed since the last look the higher one counts; under a lowered one what is committed may
    // only shrink.
    const known = [limits.get(budget.id), this.#limits.get(budget.id), budget.limit]
    const limit = known.reduce<bigint>((most, each) => (each !== undefined && each > most ? each : most), 0n)
    const isOver = budget.mode === 'hard' && committedOf(window) > limit
    // Before the first look it may have been lowered in the schedule before.
    const most = before === undefined ? budget.limitMost : committedOf(before)
    const isOld = committedOf(window) <= most
    if (isOver && !isOld) say('I1 more is committed than the limit')
    if (window.leased !== window.inLeases) say(`I2 leases have ${window.inLeases} left`)
    if (window.stranded !== window.inStranded) say(`I2 stranded leases have ${window.inStranded} left`)
    if (before !== undefined && window.settled < before.settled) say('I9 less is settled than before')
    // What was billed by report is within its hold. What was seen at once beyond one that grew is told; `judgeCalls`
    // asks of each such call whether its provider really sent so much.
    if (budget.mode === 'hard' && window.overrun > (estimatedOverruns.get(budget.id) ?? 0n))
      say('an overrun, and no provider bills beyond its bound')
    const isOverdrawn = [window.settled, window.leased, window.stranded, window.overrun].some(
      (each) => each < 0n,
    )
    if (isOverdrawn) say('I1 a sum is below zero')
    return broken
  }

  /** @param bill as it was before the ledger was read. */
  #checkBill(budget: GrownBudget, stand: LedgerStand, bill: bigint): string[] {
    const windows = stand.windows.filter(({ budgetId }) => budgetId === budget.id)
    const sum = (of: (window: WindowStand) => bigint): bigint =>
      windows.reduce((all, each) => all + of(each), 0n)
    const [settled, reach] = [
      sum(({ settled: each }) => each),
      sum((each) => committedOf(each) + each.overrun),
    ]
    const known = this.#upstream.bill(budget.prefix, budget.unit) + (stand.estimated.get(budget.id) ?? 0n)
    const of = `${budget.prefix} ${budget.window} ${budget.unit} ${budget.mode}`
    const broken: string[] = []
    if (budget.mode === 'hard' && bill > reach)
      broken.push(`I3 ${of}: billed ${bill}, known to the ledger ${reach}`)
    if (settled > known) broken.push(`I1 ${of}: settled ${settled}, billed and estimated ${known}`)
    const most = budget.limitMost * BigInt(Math.max(1, windows.length))
    if (budget.mode === 'hard' && bill > most) broken.push(`I3 ${of}: billed ${bill} of ${most}`)
    return broken
  }
}
