import {
  type BudgetName,
  budgets,
  type LedgerUnderTest,
  type PathName,
  paths,
  type Report,
} from './model-ledger.ts'

/** One step of a schedule. Numbers choose among what there is at that moment. */
export type Step =
  | {
      readonly do: 'grant'
      readonly gateway: number
      readonly path: PathName
      readonly need: number
      readonly want: number
      readonly reply: 'comes' | 'lost' | 'lostThenAskedAgain'
    }
  | { readonly do: 'dispatch'; readonly gateway: number; readonly path: PathName; readonly hold: number }
  | { readonly do: 'finish'; readonly call: number; readonly share: number }
  | {
      readonly do: 'report'
      readonly gateway: number
      readonly lease: number
      readonly give: number
      readonly close: boolean
      readonly copies: number
    }
  | { readonly do: 'deliver' | 'drop'; readonly message: number }
  | { readonly do: 'crash'; readonly gateway: number; readonly journal: boolean }
  | { readonly do: 'restart' | 'pause' | 'cut'; readonly gateway: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'nextDay' | 'expire' }
  | { readonly do: 'setLimit'; readonly budget: BudgetName; readonly limit: number }
export type FleetMutant = 'chargeAfterwards' | 'retryWithoutHold'

interface Held {
  readonly path: PathName
  readonly day: number
  amount: number
  settled: number
  holds: number
  unreported: number
  deadlineMs: number
  closing: boolean
}
interface Gateway {
  run: number
  up: boolean
  paused: boolean
  cut: boolean
  leases: Map<string, Held>
  /** What the disk has of earlier runs. */
  journal: Map<string, Held>
}
interface Call {
  readonly gateway: number
  readonly run: number
  readonly lease: string
  readonly held: Held
  readonly hold: number
  readonly free: boolean
}
const dayMs = 86_400_000
const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % Math.max(1, list.length)]

/** Three gateways, the network between them and the ledger, and the provider's bill, which no gateway sees. */
export class Fleet {
  readonly ledger: LedgerUnderTest
  readonly #mutant: FleetMutant | undefined
  readonly gateways: Gateway[] = []
  readonly bill = new Map<string, number>()
  /** Settled at their hold by a journal, whatever they were billed. */
  readonly estimated = new Map<string, number>()
  kills = 0
  #calls: Call[] = []
  #network: Report[] = []
  #nowMs = 0
  #ids = 0

  constructor(ledger: LedgerUnderTest, mutant?: FleetMutant) {
    this.ledger = ledger
    this.#mutant = mutant
  }

  async start(startMs: number): Promise<void> {
    this.#setClock(startMs)
    for (let gateway = 0; gateway < 3; gateway++) {
      this.gateways.push({
        run: 0,
        up: false,
        paused: false,
        cut: false,
        leases: new Map(),
        journal: new Map(),
      })
      await this.#restart(gateway)
    }
  }

  #setClock(timeMs: number): void {
    this.#nowMs = timeMs
    this.ledger.setClock(timeMs)
  }

  #gateway(number: number): Gateway {
    return this.gateways[number % 3] as Gateway
  }

  async #restart(number: number): Promise<void> {
    const gateway = this.#gateway(number)
    if (gateway.up) return
    Object.assign(gateway, { run: ++this.#ids, up: true, paused: false, leases: new Map() })
    await this.ledger.hello(number % 3, gateway.run)
    for (const [lease, held] of gateway.journal) {
      const settled = held.settled + held.holds
      this.#count(this.estimated, held, held.holds)
      this.#network.push({
        lease,
        gateway: number % 3,
        run: gateway.run,
        amount: settled,
        settled,
        final: true,
        delta: 0,
      })
    }
    gateway.journal.clear()
  }

  #windowsOf({ path, day }: Pick<Held, 'path' | 'day'>): string[] {
    return paths[path].map((name) => `${name} ${budgets[name].window === 'total' ? 0 : day}`)
  }

  #count(sums: Map<string, number>, held: Pick<Held, 'path' | 'day'>, amount: number): void {
    for (const key of this.#windowsOf(held)) sums.set(key, (sums.get(key) ?? 0) + amount)
  }

  async #grant(step: Extract<Step, { do: 'grant' }>): Promise<void> {
    const number = step.gateway % 3
    const gateway = this.#gateway(number)
    if (!gateway.up || gateway.paused || gateway.cut) return
    const lease = `lease-${++this.#ids}`
    const wish = {
      lease,
      gateway: number,
      run: gateway.run,
      path: step.path,
      need: step.need,
      want: step.want,
    }
    let granted = await this.ledger.grant(wish)
    if (step.reply === 'lost') return
    if (step.reply === 'lostThenAskedAgain') granted = await this.ledger.grant(wish)
    if (granted === 0) return
    const day = this.#nowMs - (this.#nowMs % dayMs)
    const sums = { amount: granted, settled: 0, holds: 0, unreported: 0, closing: false }
    gateway.leases.set(lease, { path: step.path, day, ...sums, deadlineMs: this.#nowMs + 54_000 })
  }

  async #dispatch(step: Extract<Step, { do: 'dispatch' }>): Promise<void> {
    const number = step.gateway % 3
    const gateway = this.#gateway(number)
    if (!gateway.up || gateway.paused) return
    const found = [...gateway.leases].find(
      ([, held]) =>
        held.path === step.path &&
        this.#nowMs < held.deadlineMs &&
        !held.closing &&
        held.amount - held.settled - held.holds >= step.hold,
    )
    const call = { gateway: number, run: gateway.run, hold: step.hold }
    if (this.#mutant === 'chargeAfterwards') {
      const day = this.#nowMs - (this.#nowMs % dayMs)
      const open = await this.ledger.balances()
      const fits = this.#windowsOf({ path: step.path, day }).every((key) => {
        const balance = open.get(key)
        return balance === undefined || balance.settled + step.hold <= balance.limit
      })
      const held = {
        path: step.path,
        day,
        amount: 0,
        settled: 0,
        holds: 0,
        unreported: 0,
        deadlineMs: 0,
        closing: false,
      }
      if (fits) this.#calls.push({ ...call, lease: '', held, free: true })
      return
    }
    if (found === undefined) return
    const [lease, held] = found
    held.holds += step.hold
    this.#calls.push({ ...call, lease, held, free: false })
    if (this.#mutant === 'retryWithoutHold') this.#calls.push({ ...call, lease, held, free: true })
  }

  #finish({ call: number, share }: { call: number; share: number }): void {
    const call = pick(this.#calls, number)
    if (call === undefined) return
    this.#calls.splice(this.#calls.indexOf(call), 1)
    const cost = Math.ceil((call.hold * share) / 100)
    this.#count(this.bill, call.held, cost)
    const gateway = this.#gateway(call.gateway)
    if (call.free || !gateway.up || gateway.run !== call.run) return
    call.held.holds -= call.hold
    call.held.settled += cost
    call.held.unreported += cost
  }

  #report(
    step: Pick<Extract<Step, { do: 'report' }>, 'gateway' | 'lease' | 'give' | 'close' | 'copies'>,
  ): void {
    const gateway = this.#gateway(step.gateway)
    const found = pick([...gateway.leases], step.lease)
    if (!gateway.up || gateway.paused || found === undefined) return
    const [lease, held] = found
    const idle = held.amount - held.settled - held.holds
    held.amount -= Math.floor((idle * step.give) / 100)
    held.closing ||= step.close
    const final = held.closing && held.holds === 0
    if (final) held.amount = held.settled
    const { amount, settled, unreported: delta } = held
    held.unreported = 0
    if (!gateway.cut) held.deadlineMs = this.#nowMs + 54_000
    const report = { lease, gateway: step.gateway % 3, run: gateway.run, amount, settled, final, delta }
    for (let copy = 0; copy < step.copies; copy++) this.#network.push(report)
    if (final) gateway.leases.delete(lease)
  }

  async #deliver(number: number): Promise<void> {
    const report = pick(this.#network, number)
    if (report === undefined) return
    this.#network.splice(this.#network.indexOf(report), 1)
    await this.ledger.report(report)
  }

  #crash(number: number, journal: boolean): void {
    const gateway = this.#gateway(number)
    if (!gateway.up) return
    this.kills++
    if (journal) for (const [lease, held] of gateway.leases) gateway.journal.set(lease, held)
    Object.assign(gateway, { up: false, leases: new Map() })
  }

  /** Plays one step. */
  async play(step: Step): Promise<void> {
    switch (step.do) {
      case 'grant':
        return this.#grant(step)
      case 'dispatch':
        return this.#dispatch(step)
      case 'finish':
        return this.#finish(step)
      case 'report':
        return this.#report(step)
      case 'deliver':
        return this.#deliver(step.message)
      case 'drop':
        this.#network.splice(step.message % Math.max(1, this.#network.length), 1)
        return
      case 'crash':
        return this.#crash(step.gateway, step.journal)
      case 'restart':
        return this.#restart(step.gateway)
      case 'pause':
        return this.#pause(this.#gateway(step.gateway))
      case 'cut':
        this.#gateway(step.gateway).cut = !this.#gateway(step.gateway).cut
        return
      case 'wait':
        return this.#setClock(this.#nowMs + step.seconds * 1000)
      case 'nextDay':
        return this.#setClock(this.#nowMs + dayMs)
      case 'expire':
        return this.ledger.expire()
      case 'setLimit':
        return this.ledger.setLimit(step.budget, step.limit)
    }
  }

  #pause(gateway: Gateway): void {
    gateway.paused = !gateway.paused
    // Its monotonic clock stood still: it believes its leases longer than they hold.
    if (!gateway.paused) for (const held of gateway.leases.values()) held.deadlineMs += 120_000
  }

  /** All calls end, all gateways run and give back what they have, and everything they say arrives. */
  async settleDown(): Promise<void> {
    while (this.#calls.length > 0) this.#finish({ call: 0, share: 100 })
    for (let number = 0; number < 3; number++) {
      const gateway = this.#gateway(number)
      await this.#restart(number)
      gateway.paused = false
      gateway.cut = false
      while (gateway.leases.size > 0) {
        this.#report({ gateway: number, lease: 0, give: 100, close: true, copies: 2 })
      }
    }
    while (this.#network.length > 0) await this.#deliver(this.#network.length - 1)
  }
}
