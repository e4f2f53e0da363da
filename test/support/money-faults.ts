import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { eventually } from './eventually.ts'
import { type MeddlingLine, meddlings } from './meddling-line.ts'
import type { LedgerReader } from './money-rules.ts'
import type { MoneyTree } from './money-tree.ts'
import type { MoneyWorld } from './money-world.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What is done to the programs; the line adds its own, and so do callers and the provider. */
export const faultKinds = [
  'kill',
  'drain',
  'pause',
  'pausePastLease',
  'planeKill',
  'planePause',
  'databaseKill',
  'gatewayClock',
  'planeClock',
  'databaseClock',
  'partition',
  'limitUp',
  'limitDown',
  'nextDay',
] as const
export type FaultKind = (typeof faultKinds)[number]
/** All that a run must have seen. */
export const countedKinds = [
  ...faultKinds,
  ...meddlings,
  ...(['callerGone', 'providerBusy', 'providerBroken', 'usageMissing', 'refused', 'fallback'] as const),
] as const
export type CountedKind = (typeof countedKinds)[number]

const jumpMsMax = 5 * 60_000
const dayMs = 86_400_000

/** The clocks of all programs and of the database, each of which can be moved by itself. */
export class WorldClocks {
  readonly #folder: string
  readonly #reader: LedgerReader
  /** All clocks are ahead by this: time moves on for everybody. */
  #baseMs = 0
  #databaseMs = 0

  constructor(folder: string, reader: LedgerReader) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#reader = reader
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }

  /** Environment of a program whose clock goes by a file. */
  env(name: string): Record<string, string> {
    const shifted = pathToFileURL(join(import.meta.dirname, '../bench/parts/shifted-clock.ts')).href
    return { NODE_OPTIONS: `--import=${shifted}`, SIGNALBOX_TEST_CLOCK_FILE: this.#file(name) }
  }

  /** Moves the wall clock of a program; its monotonic clock goes on. */
  move(name: string, jumpMs: number): void {
    writeFileSync(this.#file(name), String(this.#baseMs + jumpMs))
  }

  /** Moves the clock that the ledger goes by. */
  async moveDatabase(jumpMs: number): Promise<void> {
    this.#databaseMs = this.#baseMs + jumpMs
    await this.#reader.run('update test_clock set shift_ms = $1', [Math.round(this.#databaseMs)])
  }

  /** Everybody's time moves on, so that the next day of UTC begins in a moment. */
  async moveToMidnight(names: readonly string[], inMs: number): Promise<void> {
    const left = dayMs - ((Date.now() + this.#baseMs) % dayMs)
    this.#baseMs += Math.max(0, left - inMs)
    await this.moveAll(names)
  }

  /** Everybody's time moves on. */
  async advance(names: readonly string[], byMs: number): Promise<void> {
    this.#baseMs += byMs
    await this.moveAll(names)
  }

  /** All clocks say the same again. */
  async moveAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.move(name, 0)
    await this.moveDatabase(0)
  }
}

/** Gives a database a clock that a test can move: what the ledger calls is found before what the server has. */
export async function installDatabaseClock(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`
    create table test_clock (shift_ms bigint not null);
    insert into test_clock values (0);
    create function public.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + shift_ms * interval '1 millisecond' from public.test_clock $$;
    do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database()); end $$`)
  await client.end()
}

/** What faults happen to. */
export interface FaultField {
  readonly world: MoneyWorld
  readonly line: MeddlingLine
  readonly clocks: WorldClocks
  readonly reader: LedgerReader
  readonly databasePid: () => number | undefined
  readonly random: SeededRandom
  readonly tree: MoneyTree
  /** Gateways of this schedule, by number; those that are busy with a fault are in `down`. */
  readonly gateways: readonly number[]
  readonly down: Set<number>
  readonly kills: { readonly gateway: number; readonly atMs: number }[]
  /** Only one thing at a time happens to the control plane and its database. */
  planeLock: Promise<unknown>
}

const nameOf = (gateway: number): string => `gateway-${gateway}`
/** Names of all clocks. */
export const clockNames = (gateways: number): string[] => [
  'plane',
  ...Array.from({ length: gateways }, (_, n) => nameOf(n)),
]

async function withGateway(field: FaultField, run: (gateway: number) => Promise<void>): Promise<boolean> {
  const free = (): number[] => field.gateways.filter((number) => !field.down.has(number))
  while (free().length === 0) await wait(50)
  const gateway = field.random.pick(free())
  field.down.add(gateway)
  try {
    await run(gateway)
  } finally {
    field.down.delete(gateway)
  }
  return true
}

async function withPlane(field: FaultField, run: () => Promise<void>): Promise<boolean> {
  const running = field.planeLock.then(run)
  field.planeLock = running.catch(() => undefined)
  await running
  return true
}

async function pause(field: FaultField, gateway: number, run: () => Promise<void>): Promise<void> {
  const { process } = field.world.gateways[gateway] ?? {}
  process?.kill('SIGSTOP')
  try {
    await run()
  } finally {
    process?.kill('SIGCONT')
  }
}

async function setLimit(field: FaultField, change: (limit: bigint) => bigint): Promise<boolean> {
  const budget = field.random.pick(field.tree.budgets)
  const limit = change(budget.limit)
  // While nobody knows whether it is changed the higher one is what holds.
  if (limit > budget.limit)
    Object.assign(budget, { limit, limitMost: limit > budget.limitMost ? limit : budget.limitMost })
  const { owner, window, unit } = budget
  try {
    await field.world.client.setBudget({ ...owner, window, unit, limit: String(limit) })
  } catch {
    return false
  }
  budget.limit = limit
  return true
}

const jump = (random: SeededRandom): number => (random.next() * 2 - 1) * jumpMsMax
/** A lease runs out after a minute, and every five seconds it is looked for those that did. */
const pastLeaseMs = 3 * 60_000
const sweepMs = 6000

/** How each fault is done. False where there was nothing to do it to. */
export const faults: Readonly<Record<FaultKind, (field: FaultField) => Promise<boolean>>> = {
  kill: (field) =>
    withGateway(field, async (gateway) => {
      field.kills.push({ gateway, atMs: performance.now() })
      await field.world.gateways[gateway]?.stop('SIGKILL')
      await wait(field.random.next() * 2500)
      await field.world.boot(gateway)
    }),
  drain: (field) =>
    withGateway(field, async (gateway) => {
      await field.world.gateways[gateway]?.stop('SIGTERM')
      await field.world.boot(gateway)
    }),
  pause: (field) =>
    withGateway(field, (gateway) => pause(field, gateway, () => wait(500 + field.random.next() * 3000))),
  pausePastLease: (field) =>
    withGateway(field, (gateway) =>
      pause(field, gateway, async () => {
        await withPlane(field, () => field.clocks.moveDatabase(pastLeaseMs))
        await wait(sweepMs)
      }),
    ),
  planeKill: (field) =>
    withPlane(field, async () => {
      await field.world.plane.stop('SIGKILL')
      await wait(field.random.next() * 1500)
      await field.world.bootPlane()
    }),
  planePause: (field) =>
    withPlane(field, async () => {
      const { process } = field.world.plane
      process.kill('SIGSTOP')
      await wait(500 + field.random.next() * 3000)
      process.kill('SIGCONT')
    }),
  databaseKill: (field) =>
    withPlane(field, async () => {
      const pid = field.databasePid()
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await wait(300)
      await eventually(() => field.reader.run('select 1'), 30_000)
    }),
  gatewayClock: async (field) => {
    field.clocks.move(nameOf(field.random.pick(field.gateways)), jump(field.random))
    return true
  },
  planeClock: async (field) => {
    field.clocks.move('plane', jump(field.random))
    return true
  },
  databaseClock: (field) => withPlane(field, () => field.clocks.moveDatabase(jump(field.random))),
  partition: async ({ line, random }) => {
    line.isCut = true
    await wait(500 + random.next() * 3000)
    line.isCut = false
    return true
  },
  limitUp: (field) => setLimit(field, (limit) => (limit * 3n) / 2n),
  limitDown: (field) => setLimit(field, (limit) => limit / 2n),
  nextDay: (field) =>
    withPlane(field, () => field.clocks.moveToMidnight(clockNames(field.world.gateways.length), 1500)),
}
