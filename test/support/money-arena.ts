import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../control-plane/postgres/start.ts'
import type { BilledPrices } from './billing-upstream.ts'
import { type MeddlingLine, openMeddlingLine } from './meddling-line.ts'
import { installDatabaseClock, WorldClocks } from './money-faults.ts'
import { LedgerReader } from './money-rules.ts'
import { playMoneySchedule, type Schedule } from './money-schedule.ts'
import { growTree, type MoneyTree } from './money-tree.ts'
import { MoneyWorld } from './money-world.ts'
import { SeededRandom } from './seeded-random.ts'

/** A provider's models, each with prices of its own. */
const modelsOfAKind = 6
/** So many schedules share a tree and its prices: budgets that are nearly spent are where it matters. */
const schedulesPerTree = 4
const bootsAtOnce = 2

/** Prices of every model as chance wants them, none of which makes whole nano-dollars. */
function drawPrices(random: SeededRandom): Record<string, BilledPrices> {
  const draw = (): BilledPrices => {
    const input = BigInt(random.between(50_001, 9_999_999))
    return {
      input,
      cacheRead: input / BigInt(random.between(2, 10)),
      output: input * BigInt(random.between(2, 6)) + 7n,
    }
  }
  const names = ['plain', 'open'].flatMap((kind) =>
    Array.from({ length: modelsOfAKind }, (_, n) => `${kind}${n}`),
  )
  return Object.fromEntries(names.map((name) => [name, draw()]))
}

/** Pico-dollars per token as the workspace has them: dollars per million. */
const usd = (pico: bigint): string => `${pico / 1_000_000n}.${String(pico % 1_000_000n).padStart(6, '0')}`

function workspace(url: string, prices: Readonly<Record<string, BilledPrices>>): string {
  const rows = Object.entries(prices).flatMap(([name, { input, cacheRead, output }]) => {
    const price = `input: ${usd(input)}, cacheRead: ${usd(cacheRead)}, output: ${usd(output)}`
    const isOpen = name.startsWith('open')
    const visible = isOpen ? ', visibleOutput: true, abortStopsBilling: true' : ''
    const row = `{ ${price}, contextTokens: 128000, outputTokensMax: 64000${visible} }`
    return [`  bank/${name}: ${row}`, ...(isOpen ? [`  shaky/${name}: ${row}`] : [])]
  })
  const aliases = Array.from(
    { length: modelsOfAKind },
    (_, n) => `  safe${n}: [shaky/open${n}, bank/open${n}]`,
  )
  return `name: money
connections:
  bank: { provider: openai-compatible, baseUrl: ${url}/v1 }
  shaky: { provider: openai-compatible, baseUrl: ${url}/shaky/v1 }
models:
${aliases.join('\n')}
catalogue:
${rows.join('\n')}
`
}

/** Where schedules of faults are played: own PostgreSQL, control plane, gateways, provider and clocks. */
export class MoneyArena {
  readonly #folder: string
  readonly #postgres: Awaited<ReturnType<typeof startPostgres>>
  readonly #reader: LedgerReader
  readonly #clocks: WorldClocks
  readonly #line: MeddlingLine
  readonly world: MoneyWorld
  readonly #up = new Set<number>()
  #tree: MoneyTree | undefined
  #number = 0

  private constructor(
    folder: string,
    parts: {
      postgres: Awaited<ReturnType<typeof startPostgres>>
      reader: LedgerReader
      clocks: WorldClocks
      line: MeddlingLine
      world: MoneyWorld
    },
  ) {
    this.#folder = folder
    this.#postgres = parts.postgres
    this.#reader = parts.reader
    this.#clocks = parts.clocks
    this.#line = parts.line
    this.world = parts.world
  }

  /** @param gateways how many there can be at most. */
  static async open(gateways: number, seed: number): Promise<MoneyArena> {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-arena-'))
    // A commit that was acknowledged is there after a kill: with `fsync` it would be after a crash of the machine too.
    const postgres = await startPostgres(join(folder, 'postgres'), { durable: true })
    await installDatabaseClock(postgres.url)
    const reader = new LedgerReader(postgres.url)
    const clocks = new WorldClocks(join(folder, 'clocks'), reader)
    let line: MeddlingLine | undefined
    const random = new SeededRandom(seed)
    const prices = drawPrices(random)
    const world = await MoneyWorld.start({
      ...{ gateways, running: 0, planeEnv: { DATABASE_URL: postgres.url, ...clocks.env('plane') } },
      gatewayEnv: (number) => clocks.env(`gateway-${number}`),
      text: (url) => workspace(url, prices),
      line: async (url) => {
        line = await openMeddlingLine(url, random.fork())
        return line.url
      },
    })
    world.upstream.setPrices(prices)
    if (line === undefined) throw new Error('gateways reach the control plane by no line')
    return new MoneyArena(folder, { postgres, reader, clocks, line, world })
  }

  async #bringUp(gateways: number): Promise<void> {
    for (const number of [...this.#up].filter((each) => each >= gateways)) {
      await this.world.gateways[number]?.stop('SIGTERM')
      this.#up.delete(number)
    }
    const missing = Array.from({ length: gateways }, (_, number) => number).filter(
      (each) => !this.#up.has(each),
    )
    while (missing.length > 0) {
      const next = missing.splice(0, bootsAtOnce)
      await Promise.all(next.map((number) => this.world.boot(number)))
      for (const number of next) this.#up.add(number)
    }
    // One that was down while prices changed must not go by the old ones: its provider does not.
    await this.world.converged([...this.#up])
  }

  /** A new tree of so many keys; new prices where there was one before. */
  async #grow(keys: number, random: SeededRandom): Promise<MoneyTree> {
    const { world } = this
    if (this.#tree !== undefined) {
      const prices = drawPrices(random)
      world.upstream.setPrices(prices)
      await world.deploy(workspace(world.upstream.url, prices))
    }
    return growTree(world, { name: `s${this.#number}`, keys, random })
  }

  /** Brings up so many gateways, makes a tree of so many keys where it is time for a new one, and plays a schedule. */
  async play(schedule: Omit<Schedule, 'name'> & { readonly gateways: number; readonly keys: number }) {
    const random = new SeededRandom(schedule.seed)
    await this.#bringUp(schedule.gateways)
    if (this.#tree === undefined || this.#number % schedulesPerTree === 0) {
      this.#tree = await this.#grow(schedule.keys, random)
    }
    const field = {
      ...{
        world: this.world,
        line: this.#line,
        clocks: this.#clocks,
        reader: this.#reader,
        tree: this.#tree,
        random,
      },
      databasePid: () => this.#postgres.pid(),
      gateways: Array.from({ length: schedule.gateways }, (_, number) => number),
      ...{ down: new Set<number>(), kills: [], planeLock: Promise.resolve() },
    }
    return playMoneySchedule(field, { ...schedule, name: `c${this.#number++}` })
  }

  async close(): Promise<void> {
    await this.world.stop()
    await this.#line.close()
    await this.#reader.close()
    await this.#postgres.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
