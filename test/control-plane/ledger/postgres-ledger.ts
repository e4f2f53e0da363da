import { v7 as newId } from 'uuid'
import type { Database } from '../../../control-plane/db/connect.ts'
import { budget, gateway, node, organisation } from '../../../control-plane/db/schema.ts'
import { releaseStranded } from '../../../control-plane/ledger/correct.ts'
import { createLedger, type Ledger } from '../../../control-plane/ledger/ledger.ts'
import { changeBudget } from '../../../control-plane/ledger/set-budget.ts'
import { checkWindows } from '../../../control-plane/stores/budget-explain.ts'
import { type BudgetRow, findBudget, loadWindows } from '../../../control-plane/stores/budgets.ts'
import { storeHello } from '../../../control-plane/stores/gateway-sessions.ts'
import {
  type Balance,
  type BudgetName,
  budgets,
  type LedgerUnderTest,
  ModelLedger,
  paths,
  type Report,
  type Wish,
} from './model-ledger.ts'

const names = Object.keys(budgets) as BudgetName[]

/** The ledger on PostgreSQL, in an organisation of its own. */
export class PostgresLedger implements LedgerUnderTest {
  readonly organisationId = newId()
  readonly #db: Database
  readonly #ledger: Ledger
  readonly #budgetIds = new Map<BudgetName, string>()
  readonly #ids = new Map<string, string>()
  readonly #gateways = [newId(), newId(), newId()]
  #nowMs = 0

  constructor(db: Database) {
    this.#db = db
    this.#ledger = createLedger({ db, clock: async () => this.#nowMs })
  }

  /** Makes organisation, nodes, budgets and gateways. */
  async create(): Promise<this> {
    const { organisationId } = this
    const common = { organisationId, createdMs: 0 }
    await this.#db.insert(organisation).values({ id: organisationId, name: organisationId, createdMs: 0 })
    const root = {
      ...common,
      id: newId(),
      parentId: null,
      kind: 'organisation' as const,
      name: 'root',
      path: '',
    }
    await this.#db.insert(node).values({ ...root, managedBy: 'api' })
    const below = names.map((name) => ({
      ...common,
      id: newId(),
      parentId: root.id,
      kind: 'team' as const,
      name,
    }))
    await this.#db
      .insert(node)
      .values(below.map((row) => ({ ...row, path: row.name, managedBy: 'api' as const })))
    const rows = names.map((name, index): BudgetRow => {
      const { window, mode, limit } = budgets[name]
      const none = { overrideLimit: null, overrideUntilMs: null, overrideReason: null, overrideBy: null }
      const place = { nodeId: below[index]?.id ?? '', keyId: null, window, unit: 'usd' as const, ...none }
      const rule = { timeZone: 'UTC', fiscalStart: '01-01', alertsPpm: [500_000], managedBy: 'api' as const }
      return {
        ...common,
        ...place,
        ...rule,
        id: newId(),
        mode,
        limit: BigInt(limit),
        revision: 1,
        deletedMs: null,
      }
    })
    await this.#db.insert(budget).values(rows)
    rows.forEach(({ id }, index) => {
      this.#budgetIds.set(names[index] ?? 'key', id)
    })
    const gateways = this.#gateways.map((id) => ({
      ...common,
      id,
      environment: 'development',
      name: id,
      tokenHash: id,
    }))
    await this.#db.insert(gateway).values(gateways)
    return this
  }

  #budgetId(name: BudgetName): string {
    return this.#budgetIds.get(name) ?? ''
  }

  /** The UUID of a name that the schedule uses. */
  #id(name: string): string {
    const known = this.#ids.get(name) ?? newId()
    this.#ids.set(name, known)
    return known
  }

  setClock(timeMs: number): void {
    this.#nowMs = timeMs
  }

  async hello(number: number, run: number): Promise<void> {
    const incarnation = this.#id(`run ${run}`)
    const hello = { incarnation, publicKey: '', software: 'test', url: null, nowMs: this.#nowMs }
    await storeHello(this.#db, this.#gateways[number] ?? '', hello)
  }

  #from(number: number) {
    return { organisationId: this.organisationId, gatewayId: this.#gateways[number] ?? '' }
  }

  async grant({ lease, gateway: number, run, path, need, want }: Wish): Promise<number> {
    const wish = {
      leaseId: this.#id(lease),
      budgets: paths[path].map((name) => this.#budgetId(name)),
      ...{ need: String(need), want: String(want) },
    }
    const body = { incarnation: this.#id(`run ${run}`), wishes: [wish] }
    try {
      const { leases } = await this.#ledger.grant({ ...this.#from(number), body })
      return Number(leases[0]?.granted)
    } catch (error) {
      if (error instanceof Error && error.message.includes('newer run')) return 0
      throw error
    }
  }

  async report(report: Report): Promise<void> {
    const { lease, gateway: number, run, amount, settled, final, delta } = report
    const leaseId = this.#id(lease)
    const attempt = {
      // A repeated report names the same call.
      callId: this.#id(`${lease} ${run} ${settled} ${delta}`),
      ...{ attempt: 0, leaseId, hold: String(delta), actual: String(delta), overrun: '0' },
      ...{ evidence: 'reported' as const, timeMs: this.#nowMs },
    }
    const body = {
      incarnation: this.#id(`run ${run}`),
      leases: [{ leaseId, amount: String(amount), settled: String(settled), final }],
      settlements: delta > 0 ? [attempt] : [],
    }
    try {
      await this.#ledger.settle({ ...this.#from(number), body })
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('newer run'))) throw error
    }
  }

  async expire(): Promise<void> {
    await this.#ledger.strandExpired()
  }

  async release(name: BudgetName): Promise<void> {
    const correction = { organisationId: this.organisationId, actor: 'test', clock: async () => this.#nowMs }
    const wanted = { budgetId: this.#budgetId(name), leases: undefined }
    await this.#db.transaction((tx) => releaseStranded(tx, correction, wanted))
  }

  async setLimit(name: BudgetName, limit: number): Promise<void> {
    const found = await findBudget(this.#db, this.organisationId, this.#budgetId(name))
    if (found === undefined) throw new Error(`no budget ${name}`)
    const { path: _, ...row } = found
    const change = { row: { ...row, limit: BigInt(limit), revision: row.revision + 1 }, seen: row.revision }
    await this.#db.transaction((tx) => changeBudget(tx, { clock: async () => this.#nowMs }, change))
  }

  async balances(): Promise<ReadonlyMap<string, Balance>> {
    const rows = await loadWindows(this.#db, [...this.#budgetIds.values()], { perBudget: 1000 })
    const nameOf = new Map([...this.#budgetIds].map(([name, id]) => [id, name]))
    return new Map(
      rows.map(({ budgetId, startMs, limit, settled, leased, stranded, overrun }) => {
        const sums = { settled: Number(settled), leased: Number(leased), stranded: Number(stranded) }
        const balance: Balance = { limit: Number(limit), ...sums, overrun: Number(overrun) }
        return [`${nameOf.get(budgetId)} ${startMs}`, balance]
      }),
    )
  }

  /** @throws Error where transfers or leases add up to something else than the balances. */
  async reconcile(): Promise<void> {
    const { differences } = await checkWindows(this.#db, this.organisationId)
    if (differences.length > 0) throw new Error(`the ledger does not add up: ${JSON.stringify(differences)}`)
  }
}

/** PostgreSQL and the model side by side: they must always say the same. */
export class ComparedLedger implements LedgerUnderTest {
  readonly real: PostgresLedger
  readonly #model = new ModelLedger()

  constructor(real: PostgresLedger) {
    this.real = real
  }

  setClock(timeMs: number): void {
    this.#model.setClock(timeMs)
    this.real.setClock(timeMs)
  }

  async #both<T>(act: (ledger: LedgerUnderTest) => Promise<T>): Promise<T> {
    const wanted = await act(this.#model)
    const got = await act(this.real)
    if (wanted !== got) throw new Error(`PostgreSQL says ${String(got)}, the model ${String(wanted)}`)
    return got
  }

  grant(wish: Wish): Promise<number> {
    return this.#both((ledger) => ledger.grant(wish))
  }
  report(report: Report): Promise<void> {
    return this.#both((ledger) => ledger.report(report))
  }
  hello(number: number, run: number): Promise<void> {
    return this.#both((ledger) => ledger.hello(number, run))
  }
  expire(): Promise<void> {
    return this.#both((ledger) => ledger.expire())
  }
  release(name: BudgetName): Promise<void> {
    return this.#both((ledger) => ledger.release(name))
  }
  setLimit(name: BudgetName, limit: number): Promise<void> {
    return this.#both((ledger) => ledger.setLimit(name, limit))
  }

  async balances(): Promise<ReadonlyMap<string, Balance>> {
    const [wanted, got] = [await this.#model.balances(), await this.real.balances()]
    for (const [key, balance] of wanted) {
      const found = got.get(key)
      const same = (Object.keys(balance) as (keyof Balance)[]).every((name) => {
        // A limit is written when its window is next touched.
        return name === 'limit' || balance[name] === (found?.[name] ?? 0)
      })
      if (!same)
        throw new Error(`${key}: model ${JSON.stringify(balance)}, PostgreSQL ${JSON.stringify(found)}`)
    }
    return wanted
  }
}
