/** Balances of one window, by hand: what a ledger must have, however it is built. */
export interface Balance {
  limit: number
  settled: number
  leased: number
  stranded: number
  overrun: number
}
/** Budgets of the schedules: an organisation, a team with a key of its own cap, and a team that is only watched. */
export const budgets = {
  organisation: { window: 'total', mode: 'hard', limit: 1000 },
  team: { window: 'day', mode: 'hard', limit: 500 },
  key: { window: 'total', mode: 'hard', limit: 300 },
  watched: { window: 'day', mode: 'soft', limit: 200 },
} as const
export type BudgetName = keyof typeof budgets
export const paths = {
  key: ['organisation', 'team', 'key'],
  team: ['organisation', 'team'],
  watched: ['organisation', 'watched'],
} as const satisfies Record<string, readonly BudgetName[]>
export type PathName = keyof typeof paths

export interface Wish {
  readonly lease: string
  readonly gateway: number
  readonly run: number
  readonly path: PathName
  readonly need: number
  readonly want: number
}
export interface Report {
  readonly lease: string
  readonly gateway: number
  /** The run that reports. */
  readonly run: number
  readonly amount: number
  readonly settled: number
  readonly final: boolean
  /** What the report says was settled since the last one; only mutants look at it. */
  readonly delta: number
}
/** A ledger that schedules are played on. */
export interface LedgerUnderTest {
  /** 0 where refused. */
  grant(wish: Wish): Promise<number>
  report(report: Report): Promise<void>
  /** A gateway starts again. */
  hello(gateway: number, run: number): Promise<void>
  expire(): Promise<void>
  release(budget: BudgetName): Promise<void>
  setLimit(budget: BudgetName, limit: number): Promise<void>
  setClock(timeMs: number): void
  /** By budget and start of the window. */
  balances(): Promise<ReadonlyMap<string, Balance>>
}
/** Mistakes that ledgers are known to make. */
export type LedgerMutant = 'autoRelease' | 'additiveSettle' | 'partialHold' | 'lastReportWins' | 'losesTail'

interface Lease {
  readonly gateway: number
  readonly run: number
  readonly windows: readonly string[]
  amount: number
  settled: number
  late: number
  state: 'active' | 'stranded' | 'closed'
  expires: number
}
const dayMs = 86_400_000
const ttlMs = 60_000

/** The ledger as simply as it can be said, in memory; with one mistake where a mutant is asked for. */
export class ModelLedger implements LedgerUnderTest {
  readonly #mutant: LedgerMutant | undefined
  #limits = new Map(Object.entries(budgets).map(([name, { limit }]) => [name, limit as number]))
  #windows = new Map<string, Balance>()
  #leases = new Map<string, Lease>()
  readonly #runs = new Map<number, number>()
  #nowMs = 0

  constructor(mutant?: LedgerMutant) {
    this.#mutant = mutant
  }

  setClock(timeMs: number): void {
    this.#nowMs = timeMs
  }

  async hello(gateway: number, run: number): Promise<void> {
    this.#runs.set(gateway, run)
    // A standby that lacks the newest lease takes over.
    const newest = [...this.#leases].at(-1)
    if (this.#mutant !== 'losesTail' || newest === undefined) return
    const [id, lease] = newest
    this.#leases.delete(id)
    for (const window of this.#of(lease.windows)) window.leased -= lease.state === 'active' ? lease.amount : 0
  }

  #of(keys: readonly string[]): Balance[] {
    return keys.map((key) => this.#windows.get(key) as Balance)
  }

  #open(name: BudgetName): string {
    const startMs = budgets[name].window === 'total' ? 0 : this.#nowMs - (this.#nowMs % dayMs)
    const key = `${name} ${startMs}`
    const limit = this.#limits.get(name) ?? 0
    const known = this.#windows.get(key)
    if (known === undefined) this.#windows.set(key, { limit, settled: 0, leased: 0, stranded: 0, overrun: 0 })
    else known.limit = limit
    return key
  }

  async grant(wish: Wish): Promise<number> {
    if (this.#runs.get(wish.gateway) !== wish.run) return 0
    const known = this.#leases.get(wish.lease)
    if (known !== undefined) return this.#again(known)
    const names: readonly BudgetName[] = paths[wish.path]
    const windows = names.map((name) => this.#open(name))
    const free = (balance: Balance): number =>
      balance.overrun > 0 ? 0 : balance.limit - balance.settled - balance.leased - balance.stranded
    const hard = windows.filter((_, index) => budgets[names[index] ?? 'key'].mode === 'hard')
    const least = Math.min(...this.#of(hard).map(free))
    if (least < wish.need) {
      if (this.#mutant === 'partialHold')
        for (const each of this.#of(hard.slice(0, 1))) each.leased += wish.need
      return 0
    }
    const live = new Set(
      [...this.#leases.values()].filter((each) => each.state === 'active').map((each) => each.gateway),
    )
    const share = Math.floor(Math.max(0, least) / (2 * Math.max(1, live.size)))
    const amount = Math.max(wish.need, Math.min(wish.want, share))
    for (const balance of this.#of(windows)) balance.leased += amount
    const { gateway, run } = wish
    const lease = { gateway, run, windows, amount, settled: 0, late: 0, expires: this.#nowMs + ttlMs }
    this.#leases.set(wish.lease, { ...lease, state: 'active' })
    return amount
  }

  #again(lease: Lease): number {
    if (lease.state === 'closed') return 0
    this.#become(lease, { ...lease, state: 'active', expires: this.#nowMs + ttlMs })
    return lease.amount
  }

  #become(lease: Lease, after: Lease): void {
    const rest = (each: Lease, state: Lease['state']): number =>
      each.state === state ? each.amount - each.settled : 0
    for (const balance of this.#of(lease.windows)) {
      balance.settled += after.settled - lease.settled
      balance.leased += rest(after, 'active') - rest(lease, 'active')
      balance.stranded += rest(after, 'stranded') - rest(lease, 'stranded')
      balance.overrun += after.late - lease.late
    }
    Object.assign(lease, after)
  }

  async report(report: Report): Promise<void> {
    const lease = this.#leases.get(report.lease)
    if (lease === undefined || lease.gateway !== report.gateway) return
    const holder = lease.run === report.run
    if (!holder && this.#runs.get(report.gateway) !== report.run) return
    if (lease.state === 'closed') {
      const late = Math.max(lease.late, report.settled - lease.settled)
      if (this.#mutant !== 'autoRelease') this.#become(lease, { ...lease, late })
      return
    }
    if (this.#mutant === 'additiveSettle') {
      this.#become(lease, { ...lease, settled: lease.settled + report.delta })
      return
    }
    const last = this.#mutant === 'lastReportWins'
    const amount = last ? report.amount : Math.min(lease.amount, report.amount)
    const settled = last ? report.settled : Math.max(lease.settled, report.settled)
    const alive = holder ? { state: 'active' as const, expires: this.#nowMs + ttlMs } : {}
    const closed = { state: 'closed' as const, amount: settled }
    this.#become(lease, { ...lease, amount, settled, ...(report.final ? closed : alive) })
  }

  async expire(): Promise<void> {
    for (const lease of this.#leases.values()) {
      if (lease.state !== 'active' || lease.expires >= this.#nowMs) continue
      const gone = { ...lease, state: 'closed' as const, amount: lease.settled }
      this.#become(lease, this.#mutant === 'autoRelease' ? gone : { ...lease, state: 'stranded' })
    }
  }

  async release(budget: BudgetName): Promise<void> {
    for (const lease of this.#leases.values()) {
      if (lease.state !== 'stranded' || !lease.windows.some((key) => key.startsWith(`${budget} `))) continue
      this.#become(lease, { ...lease, state: 'closed', amount: lease.settled })
    }
  }

  async setLimit(budget: BudgetName, limit: number): Promise<void> {
    this.#limits.set(budget, limit)
    this.#open(budget)
  }

  async balances(): Promise<ReadonlyMap<string, Balance>> {
    return new Map([...this.#windows].map(([key, balance]) => [key, { ...balance }]))
  }
}
