import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type CountedKind,
  clockNames,
  countedKinds,
  type FaultField,
  type FaultKind,
  faults,
} from './money-faults.ts'
import { judgeCalls, type PlacedCall } from './money-judge.ts'
import { RunningRules } from './money-rules.ts'
import type { GrownKey } from './money-tree.ts'
import type { MoneyWorld } from './money-world.ts'
import { SeededRandom } from './seeded-random.ts'

/** One schedule: so many callers for so long, with these faults among them. */
export interface Schedule {
  /** Tells its calls from those of others. */
  readonly name: string
  readonly seed: number
  readonly seconds: number
  readonly callers: number
  readonly kinds: readonly FaultKind[]
  /** Nobody dies, goes away or breaks off: the ledger must be the bill to the nano-dollar. */
  readonly isExact: boolean
}
export interface ScheduleResult {
  readonly calls: number
  /** Of the tree, which may be that of the schedule before. */
  readonly keys: number
  /** How they ended: HTTP status, and the code of refusals. */
  readonly endings: Readonly<Record<string, number>>
  readonly exact: number
  readonly looks: number
  readonly counts: Record<CountedKind, number>
  /** Calls whose settlement is above their bill, each with the reason. */
  readonly differences: readonly string[]
  readonly violations: readonly string[]
}
type World = Pick<MoneyWorld, 'callOnce' | 'upstream' | 'client'>

const meddledShare = 0.12
const shakyWays = ['ok', 'ok', 'busy', 'broken', 'noUsage'] as const

/** A call as chance wants it. */
function planCall(random: SeededRandom, isExact: boolean) {
  const isStream = random.chance(0.5)
  const isLong = random.chance(0.08)
  const kind = random.pick([
    'bank/plain',
    'bank/plain',
    'bank/open',
    'bank/open',
    'shaky/open',
    'safe',
  ] as const)
  const model = `${kind}${random.between(0, 5)}`
  const failing = isExact ? (['ok', 'busy'] as const) : shakyWays
  const way =
    kind === 'safe' || kind === 'shaky/open'
      ? random.pick(failing)
      : random.pick(['ok', 'ok', 'cached'] as const)
  const tokens = isLong ? random.between(600, 2500) : random.between(1, 300)
  return {
    ...{ isStream, model, way, tokens, tokensMax: isLong ? 2600 : random.pick([60, 300, 400]) },
    // Where an answer is seen as it comes a provider is not faster than this.
    paceMs: isLong || kind !== 'bank/plain' ? random.between(1, 12) : random.pick([0, 0, 10]),
    isGone: !isExact && random.chance(0.06),
    goneMs: random.between(0, 400),
  }
}

class Play {
  readonly #field: FaultField
  readonly #schedule: Schedule
  readonly #random: SeededRandom
  readonly calls: PlacedCall[] = []
  readonly counts = Object.fromEntries(countedKinds.map((kind) => [kind, 0])) as Record<CountedKind, number>
  readonly violations: string[] = []
  #isOver = false

  constructor(field: FaultField, schedule: Schedule) {
    this.#field = field
    this.#schedule = schedule
    this.#random = new SeededRandom(schedule.seed)
  }

  #client(random: SeededRandom): { readonly key: GrownKey; readonly gateway: number } {
    return { key: random.pick(this.#field.tree.keys), gateway: random.pick(this.#field.gateways) }
  }

  async #caller(random: SeededRandom, world: World): Promise<void> {
    const { gateways, down } = this.#field
    let client = this.#client(random)
    while (!this.#isOver) {
      const up = gateways.filter((number) => !down.has(number))
      const plan = planCall(random, this.#schedule.isExact)
      // A client calls more than once; now and then at a gateway that is paused or going down.
      if (random.chance(0.15)) client = this.#client(random)
      const { key, prefix } = client.key
      const gateway =
        down.has(client.gateway) && random.chance(0.9)
          ? random.pick(up.length === 0 ? gateways : up)
          : client.gateway
      const name = `${prefix}${this.#schedule.name}-${this.calls.length}`
      const call: PlacedCall = {
        name,
        gateway,
        plan,
        startMs: performance.now(),
        endMs: undefined,
        result: undefined,
      }
      this.calls.push(call)
      const signal = AbortSignal.timeout(plan.isGone ? plan.goneMs : 60_000)
      const result = await world.callOnce({ gateway, key, name, ...plan, signal })
      Object.assign(call, { result, endMs: performance.now() })
      this.#count(call)
      await wait(random.next() * 25 + (result.status === 0 && !plan.isGone ? 200 : 0))
    }
  }

  #count({ plan, result }: PlacedCall): void {
    if (plan.isGone && result?.isWhole !== true) this.counts.callerGone++
    if (result?.status === 402) this.counts.refused++
    if (plan.way === 'busy') this.counts.providerBusy++
    if (plan.way === 'broken') this.counts.providerBroken++
    if (plan.way === 'noUsage') this.counts.usageMissing++
    if (plan.model.startsWith('safe') && plan.way === 'busy' && result?.isWhole === true)
      this.counts.fallback++
  }

  async #watch(rules: RunningRules): Promise<void> {
    while (!this.#isOver) {
      // While the database is away there is nothing to look at.
      this.violations.push(...(await rules.look().catch(() => [])))
      await wait(150)
    }
  }

  async #trouble(random: SeededRandom): Promise<void> {
    const endMs = performance.now() + this.#schedule.seconds * 1000
    const planned = this.#schedule.kinds.map((kind) => ({
      kind,
      atMs: random.next() * 0.85 * (endMs - performance.now()),
    }))
    await Promise.all(
      planned.map(async ({ kind, atMs }) => {
        await wait(atMs)
        if (await faults[kind](this.#field)) this.counts[kind]++
      }),
    )
    await wait(Math.max(0, endMs - performance.now()))
  }

  /** Plays it to the end of its last call. */
  async run(rules: RunningRules): Promise<void> {
    const { world, line } = this.#field
    const meddledBefore = { ...line.counts }
    line.share = meddledShare
    const callers = Array.from({ length: this.#schedule.callers }, () =>
      this.#caller(this.#random.fork(), world),
    )
    const watching = this.#watch(rules)
    await this.#trouble(this.#random.fork())
    this.#isOver = true
    await Promise.all([...callers, watching])
    line.share = 0
    await line.quiet()
    for (const [kind, before] of Object.entries(meddledBefore)) {
      this.counts[kind as keyof typeof meddledBefore] +=
        line.counts[kind as keyof typeof meddledBefore] - before
    }
  }
}

/** Waits until nothing is under way and no gateway keeps anything; leases that nobody knows of become stranded. */
async function untilRest(field: FaultField): Promise<void> {
  const { world, clocks, reader, tree } = field
  await field.planeLock
  const names = clockNames(world.gateways.length)
  await clocks.moveAll(names)
  const deadlineMs = performance.now() + 40_000
  let isMoved = false
  for (;;) {
    await wait(250)
    const leased = await reader.stand(tree.budgets).then(
      ({ windows }) => windows.reduce((sum, each) => sum + each.leased, 0n),
      () => 1n,
    )
    if (world.upstream.running === 0 && leased === 0n) break
    const leftMs = deadlineMs - performance.now()
    if (leftMs < 0) break
    if (leftMs > 25_000 || isMoved) continue
    // Who lives has given back by now what lies idle: the rest is nobody's.
    isMoved = true
    await clocks.advance(names, 3 * 60_000)
  }
  // Reports that move no money may still be on their way.
  await wait(1500)
}

function countEndings(calls: readonly PlacedCall[]): Record<string, number> {
  const endings = Map.groupBy(calls, ({ result }) =>
    [result?.status ?? 0, result?.code].filter((part) => part !== undefined).join(' '),
  )
  return Object.fromEntries([...endings].map(([ending, of]) => [ending, of.length]))
}

/** What the journals of the gateways say of a lease: who was the last to hold it, and for what. */
function linesOf({ folder }: MoneyWorld, lease: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith('.holds'),
  )
  const lines = files.flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes(lease))
      .map((line) => `${file}: ${line}`),
  )
  return lines.length === 0 ? 'no journal knows it' : lines.slice(-6).join(' | ')
}

/** Plays a schedule, waits for rest, and judges it. */
export async function playMoneySchedule(field: FaultField, schedule: Schedule): Promise<ScheduleResult> {
  const { world, reader, tree, kills } = field
  const rules = new RunningRules({ reader, upstream: world.upstream, budgets: tree.budgets })
  const play = new Play(field, schedule)
  const before = { stand: await reader.stand(tree.budgets), bills: world.upstream.rows.length }
  await play.run(rules)
  await untilRest(field)
  const violations = [...play.violations, ...(await rules.look())]
  const rows = await reader.settlements(tree.budgets)
  const stand = await reader.stand(tree.budgets)
  const judged = judgeCalls({
    calls: play.calls,
    rows,
    stand,
    tree,
    bills: world.upstream.rows,
    before,
    kills,
    ...schedule,
  })
  violations.push(...judged.violations)
  if (judged.violations.some((each) => each.startsWith('I6'))) {
    for (const { id, text } of await reader.openLeases(tree.budgets)) {
      violations.push(`  ${text}; ${linesOf(world, id)}`)
    }
  }
  const { differences } = await world.client.reconcileBudgets()
  if (differences.length > 0)
    violations.push(`${differences.length} windows are not the sum of their transfers`)
  return {
    ...{
      calls: play.calls.length,
      keys: tree.keys.length,
      endings: countEndings(play.calls),
      exact: judged.exact,
      looks: rules.looks,
      counts: play.counts,
    },
    ...{ differences: judged.differences, violations: [...new Set(violations)] },
  }
}
