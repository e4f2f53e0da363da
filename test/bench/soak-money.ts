import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { startPostgres } from '../../control-plane/postgres/start.ts'
import { type CallResult, MoneyWorld } from '../support/money-world.ts'
import { createRandom } from './parts/random.ts'

/*
 * The long form of `test/integration/money.test.ts`: control plane, PostgreSQL and gateways as processes, a provider
 * whose bill is known, and faults: kill -9 and pauses of gateways, kills of the control plane and of PostgreSQL, clocks
 * that jump by up to five minutes, callers that go away. `node test/bench/soak-money.ts [SECONDS GATEWAYS SEED]`.
 */
const [secondsText = '120', gatewaysText = '3', seedText = String(Date.now() % 2 ** 31)] =
  process.argv.slice(2)
const seconds = Number(secondsText)
const gateways = Number(gatewaysText)
const random = createRandom(Number(seedText))
const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const folder = mkdtempSync(join(tmpdir(), 'signalbox-soak-'))
const clockFile = join(folder, 'clock')
const postgres = await startPostgres(join(folder, 'postgres'), { durable: true })
const shifted = pathToFileURL(join(import.meta.dirname, 'parts/shifted-clock.ts')).href
const world = await MoneyWorld.start({
  gateways,
  planeEnv: { DATABASE_URL: postgres.url },
  gatewayEnv: { NODE_OPTIONS: `--import=${shifted}`, SIGNALBOX_TEST_CLOCK_FILE: clockFile },
})
const cent = 10_000_000n
const teams = await Promise.all(
  ['red', 'green', 'blue'].map(async (name, index) => ({
    name,
    ...(await world.team(name, {
      limit: BigInt(index * 60 + 40) * cent,
      keys: { a: undefined, b: BigInt(index * 10 + 15) * cent, c: 10n * cent },
    })),
  })),
)
const budgets = teams.flatMap(({ name, budget, keys }) => [
  { id: budget.id, limit: BigInt(budget.limit), prefix: `${name}-` },
  ...keys.flatMap(({ budget: own }, key) =>
    own === undefined ? [] : [{ id: own.id, limit: BigInt(own.limit), prefix: `${name}-${key}-` }],
  ),
])
const faults = { kills: 0, pauses: 0, planeKills: 0, databaseKills: 0, jumps: 0 }
const results: CallResult[] = []
const violations: string[] = []
const down = new Set<number>()
let isOver = false
let number = 0

async function callers(): Promise<void> {
  while (!isOver) {
    const team = pick(teams)
    const key = Math.floor(random() * 3)
    const isStream = random() < 0.5
    const goesAway = random() < 0.05
    const tokens = Math.floor(random() * 300) + 1
    results.push(
      await world.callOnce({
        ...{ gateway: Math.floor(random() * gateways), key: team.keys[key]?.key ?? '', isStream, tokens },
        ...{ name: `${team.name}-${key}-${number++}`, tokensMax: 400, paceMs: random() < 0.3 ? 15 : 0 },
        model: random() < 0.5 ? 'open' : 'plain',
        ...(goesAway ? { signal: AbortSignal.timeout(Math.floor(random() * 300)) } : {}),
      }),
    )
    await wait(random() * 20)
  }
}

/** Looks at every budget for as long as it runs: what is committed never passes the limit. */
async function watcher(): Promise<void> {
  while (!isOver) {
    for (const { id, limit } of budgets) {
      const sums = await world.sums(id).catch(() => undefined)
      if (sums === undefined) continue
      const { settled, leased, stranded } = sums
      if (settled + leased + stranded > limit)
        violations.push(`${id} has ${settled}+${leased}+${stranded} of ${limit}`)
    }
    await wait(200)
  }
}

async function fault(): Promise<void> {
  const gateway = Math.floor(random() * gateways)
  const dice = random()
  if (dice < 0.4 && !down.has(gateway)) {
    faults.kills++
    down.add(gateway)
    await world.gateways[gateway]?.stop('SIGKILL')
    await wait(random() * 3000)
    await world.boot(gateway)
    down.delete(gateway)
  } else if (dice < 0.6 && !down.has(gateway)) {
    faults.pauses++
    world.gateways[gateway]?.process.kill('SIGSTOP')
    await wait(random() * 4000)
    world.gateways[gateway]?.process.kill('SIGCONT')
  } else if (dice < 0.75) {
    faults.planeKills++
    await world.plane.stop('SIGKILL')
    await wait(random() * 2000)
    await world.bootPlane()
  } else if (dice < 0.85) {
    faults.databaseKills++
    const pid = postgres.pid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } else {
    faults.jumps++
    writeFileSync(clockFile, String(Math.floor((random() - 0.5) * 600_000)))
  }
}

/** What the ledger says of each budget, and of each call, once everything is said. */
async function judge(): Promise<void> {
  const database = new Client({ connectionString: postgres.url })
  await database.connect()
  const { rows } = await database.query<{
    id: string
    actual: string
    hold: string
    reported: boolean
    budgets: string[]
  }>(
    `select s.call_id as id, s.actual, s.hold, s.evidence = 'reported' as reported, l.budget_ids as budgets
     from settlement s join lease l on l.id = s.lease_id`,
  )
  await database.end()
  for (const { id, limit, prefix } of budgets) {
    const bill = world.upstream.bill(prefix)
    const { settled, leased, stranded, overrun } = await world.sums(id)
    const estimated = rows.filter((row) => !row.reported && row.budgets.includes(id))
    const holds = estimated.reduce((sum, row) => sum + BigInt(row.hold), 0n)
    say(
      `${prefix} limit ${limit} bill ${bill} settled ${settled} stranded ${stranded} estimated ${estimated.length} (${holds})`,
    )
    if (bill > limit) violations.push(`${prefix} bill ${bill} > limit ${limit}`)
    if (settled > bill + holds)
      violations.push(`${prefix} settled ${settled} > bill ${bill} + holds ${holds}`)
    if (bill > settled + stranded + leased + overrun)
      violations.push(`${prefix} bill ${bill} > settled + stranded`)
  }
  const bills = new Map(world.upstream.rows.map((row) => [row.name, row]))
  const settledOf = Map.groupBy(rows, ({ id }) => id)
  let exact = 0
  for (const { name, id, isWhole } of results) {
    // A team's own key and budget: a call is booked once, on one lease of all its budgets.
    const own = id === undefined ? [] : (settledOf.get(id) ?? [])
    const sum = own.reduce((total, row) => total + BigInt(row.actual), 0n)
    const bill = bills.get(name)?.nanoUsd ?? 0n
    if (sum === bill) exact++
    else if (isWhole && own.every((row) => row.reported))
      violations.push(`${name} settled ${sum}, billed ${bill}`)
    else if (id === undefined) say(`broke off before its caller learnt its id: ${name}, billed ${bill}`)
    else say(`in flight at a fault: ${name} settled ${sum}, billed ${bill}`)
  }
  const { differences } = await world.client.reconcileBudgets()
  if (differences.length > 0) violations.push(`${differences.length} windows do not add up`)
  say(
    `${results.length} calls, ${exact} exact to the nano-dollar, faults ${JSON.stringify(faults)}, seed ${seedText}`,
  )
}

const running = [...Array.from({ length: 12 }, callers), watcher()]
const endMs = performance.now() + seconds * 1000
while (performance.now() < endMs) {
  await wait(1500 + random() * 3000)
  await fault()
}
isOver = true
await Promise.all(running)
while (world.upstream.running > 0) await wait(50)
// Journals of what was killed last are read at a start; what lives reports within seconds.
await wait(12_000)
await Promise.all(world.gateways.map((gateway) => gateway.stop('SIGTERM')))
await judge()
await world.stop()
await postgres.stop()
rmSync(folder, { recursive: true, force: true })
for (const violation of violations) say(`VIOLATION ${violation}`)
say(violations.length === 0 ? 'no rule broken' : `${violations.length} rules broken`)
process.exitCode = violations.length === 0 ? 0 : 1
