import type { BudgetMode, LeaseReport, WindowBalance } from '@signalbox/sdk/contract'
import type {
  LeaseBody,
  LeaseReply,
  LedgerLink,
  PutAsideBody,
  SettleBody,
  SettleReply,
} from '../../gateway/money/ledger-link.ts'

interface Budget {
  readonly id: string
  readonly mode: BudgetMode
  limit: bigint
  settled: bigint
  leased: bigint
  stranded: bigint
  overrun: bigint
}
interface LedgerLease {
  readonly id: string
  readonly holder: string
  readonly budgets: readonly string[]
  readonly granted: bigint
  amount: bigint
  settled: bigint
  isStranded: boolean
  isClosed: boolean
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/**
 * The ledger's side of the contract, in memory: grants of all or nothing, leases as two registers, strandings. Checks
 * its own invariants after each step. What goes wrong between it and a gateway is up to `fault`.
 */
export class MemoryLedger implements LedgerLink {
  readonly budgets = new Map<string, Budget>()
  readonly leases = new Map<string, LedgerLease>()
  readonly rows = new Map<string, { readonly actual: bigint; readonly overrun: bigint }>()
  /** Requests so far. */
  asked = 0
  reported = 0
  expiresInMs = 60_000
  recalls = false
  /** Called around each request; throws to lose it (`before`) or its reply (`after`). */
  fault: ((at: 'before' | 'after', what: 'lease' | 'settle') => void | Promise<void>) | undefined
  /** Grants at most this share of what is there, for others to have some. */
  shareMax = 2n

  add(id: string, limit: bigint, mode: BudgetMode = 'hard'): this {
    this.budgets.set(id, { id, mode, limit, settled: 0n, leased: 0n, stranded: 0n, overrun: 0n })
    return this
  }

  get(id: string): Budget {
    const budget = this.budgets.get(id)
    if (budget === undefined) throw new Error(`no budget ${id}`)
    return budget
  }

  available({ limit, settled, leased, stranded, overrun }: Budget): bigint {
    return limit - settled - leased - stranded - overrun
  }

  /** Reports that gateways have put aside. */
  readonly aside: PutAsideBody['reports'] = []

  async putAside({ reports }: PutAsideBody): Promise<void> {
    this.aside.push(...reports)
  }

  async lease(body: LeaseBody, signal?: AbortSignal): Promise<LeaseReply> {
    this.asked++
    await this.#fail('before', 'lease', signal)
    const leases = body.wishes.map((wish) => this.#grant(body.incarnation, wish))
    this.check()
    await this.#fail('after', 'lease', signal)
    return { leases, windows: this.windows() }
  }

  /** A fault that hangs ends as a request does: when its time is over. */
  async #fail(
    at: 'before' | 'after',
    what: 'lease' | 'settle',
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.fault === undefined) return
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => {})
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    await Promise.race([this.fault(at, what), promise])
  }

  #grant(holder: string, wish: LeaseBody['wishes'][number]): LeaseReply['leases'][number] {
    const { leaseId, budgets: ids } = wish
    const known = this.leases.get(leaseId)
    if (known !== undefined) return { leaseId, granted: String(known.granted), expiresInMs: this.expiresInMs }
    const budgets = ids.map((id) => this.get(id))
    const need = BigInt(wish.need)
    let granted = BigInt(wish.want)
    for (const budget of budgets) {
      if (budget.mode !== 'hard') continue
      const available = most(0n, this.available(budget))
      if (available < need) {
        const refusedBy = { budgetId: budget.id, available: String(available), resetsAtMs: null }
        return { leaseId, granted: '0', expiresInMs: 0, refusedBy }
      }
      granted = most(need, least(granted, available / this.shareMax))
    }
    for (const budget of budgets) budget.leased += granted
    const lease = { id: leaseId, holder, budgets: ids, granted, amount: granted, settled: 0n }
    this.leases.set(leaseId, { ...lease, isStranded: false, isClosed: false })
    return { leaseId, granted: String(granted), expiresInMs: this.expiresInMs }
  }

  async settle(body: SettleBody, signal?: AbortSignal): Promise<SettleReply> {
    this.reported++
    await this.#fail('before', 'settle', signal)
    for (const row of body.settlements) {
      const key = `${row.callId} ${row.attempt} ${row.leaseId}`
      if (this.rows.has(key)) continue
      const overrun = BigInt(row.overrun)
      if (overrun > BigInt(row.actual)) throw new Error('the overrun is a part of what it cost')
      this.rows.set(key, { actual: BigInt(row.actual), overrun })
      for (const id of this.leases.get(row.leaseId)?.budgets ?? []) this.get(id).overrun += overrun
    }
    for (const report of body.leases) this.#take(body.incarnation, report)
    this.check()
    await this.#fail('after', 'settle', signal)
    const leases = body.leases.map(({ leaseId }) => {
      return { leaseId, expiresInMs: this.expiresInMs, recall: this.recalls }
    })
    return { leases, windows: this.windows() }
  }

  #take(holder: string, { leaseId, amount, settled, final }: LeaseReport): void {
    const lease = this.leases.get(leaseId)
    if (lease === undefined || lease.holder !== holder || lease.isClosed) return
    const nextSettled = most(lease.settled, BigInt(settled))
    const nextAmount = most(nextSettled, least(lease.amount, BigInt(amount)))
    const rest = lease.amount - lease.settled
    const nextRest = nextAmount - nextSettled
    for (const id of lease.budgets) {
      const budget = this.get(id)
      budget.settled += nextSettled - lease.settled
      if (lease.isStranded) budget.stranded += nextRest - rest
      else budget.leased += nextRest - rest
    }
    lease.amount = nextAmount
    lease.settled = nextSettled
    lease.isClosed = final && nextRest === 0n
  }

  /** The holder is not heard of any more: what is left of its leases is stranded. */
  strand(holder: string): void {
    for (const lease of this.leases.values()) {
      if (lease.holder !== holder || lease.isStranded || lease.isClosed) continue
      lease.isStranded = true
      for (const id of lease.budgets) {
        const budget = this.get(id)
        budget.leased -= lease.amount - lease.settled
        budget.stranded += lease.amount - lease.settled
      }
    }
  }

  windows(): WindowBalance[] {
    return [...this.budgets.values()].map(({ id: budgetId, limit, settled, leased, stranded, overrun }) => {
      const sums = { settled: String(settled), leased: String(leased), stranded: String(stranded) }
      return {
        budgetId,
        startMs: 0,
        endMs: null,
        limit: String(limit),
        ...sums,
        overrun: String(overrun),
        asOfMs: Date.now(),
      }
    })
  }

  /** DESIGN §8: at every budget, at every step. */
  check(): void {
    for (const budget of this.budgets.values()) {
      const { id, mode, limit, settled, leased, stranded } = budget
      if (mode === 'hard' && settled + leased + stranded > limit) throw new Error(`${id} is over its limit`)
      if (settled < 0n || leased < 0n || stranded < 0n) throw new Error(`${id} has a negative sum`)
    }
  }
}
