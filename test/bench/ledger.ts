import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { connectDatabase, type Database } from '../../control-plane/db/connect.ts'
import { migrateDatabase } from '../../control-plane/db/migrate.ts'
import { budget, gateway, node, organisation } from '../../control-plane/db/schema.ts'
import { createLedger, type Ledger } from '../../control-plane/ledger/ledger.ts'
import { startPostgres } from '../../control-plane/postgres/start.ts'
import { checkWindows } from '../../control-plane/stores/budget-explain.ts'
import { databaseClock } from '../../control-plane/stores/ledger-book.ts'

/*
 * `node test/bench/ledger.ts [SECONDS]`: leases per second on one path of four budgets that all callers share, and
 * settlements per second in reports of 1,000, on a PostgreSQL of its own with fsync and synchronous_commit on.
 */
const seconds = Number(process.argv[2] ?? 10)
const gatewaysCount = 8
const askersPerGateway = 16
const settlementsPerReport = 1000

interface Place {
  readonly organisationId: string
  readonly budgets: string[]
  readonly gateways: { readonly id: string; readonly incarnation: string }[]
}

/** An organisation with a path of four nodes, each with a hard budget that never ends, and gateways that run. */
async function createPlace(db: Database): Promise<Place> {
  const organisationId = newId()
  const common = { organisationId, createdMs: Date.now() }
  await db.insert(organisation).values({ id: organisationId, name: 'bench', createdMs: common.createdMs })
  const nodes = ['', 'a', 'a/b', 'a/b/c'].map((path) => ({
    ...common,
    id: newId(),
    path,
    name: path || 'bench',
  }))
  for (const [index, row] of nodes.entries()) {
    const kind = index === 0 ? ('organisation' as const) : ('team' as const)
    await db.insert(node).values({ ...row, kind, parentId: nodes[index - 1]?.id ?? null, managedBy: 'api' })
  }
  const rows = nodes.map(({ id }) => ({
    ...{
      ...common,
      id: newId(),
      nodeId: id,
      window: 'month' as const,
      unit: 'usd' as const,
      mode: 'hard' as const,
    },
    ...{ limit: 10n ** 17n, timeZone: 'UTC', fiscalStart: '01-01', alertsPpm: [500_000], revision: 1 },
    managedBy: 'api' as const,
  }))
  await db.insert(budget).values(rows)
  const gateways = Array.from({ length: gatewaysCount }, () => ({ id: newId(), incarnation: newId() }))
  const enrolled = gateways.map((each) => ({
    ...common,
    ...each,
    environment: 'development',
    name: each.id,
    tokenHash: each.id,
  }))
  await db.insert(gateway).values(enrolled)
  return { organisationId, budgets: rows.map(({ id }) => id), gateways }
}

/** Runs workers until the time is over. Gives what they counted per second, and their latencies in ms, sorted. */
async function measure(
  workers: readonly (() => Promise<number>)[],
): Promise<{ rate: number; times: number[] }> {
  const started = performance.now()
  const endMs = started + seconds * 1000
  let count = 0
  const times: number[] = []
  await Promise.all(
    workers.map(async (work) => {
      while (performance.now() < endMs) {
        const before = performance.now()
        const done = await work()
        count += done
        times.push(performance.now() - before)
      }
    }),
  )
  const rate = (count * 1000) / (performance.now() - started)
  return { rate, times: times.sort((a, b) => a - b) }
}

const at = (times: readonly number[], share: number): string =>
  (times[Math.floor(times.length * share)] ?? 0).toFixed(1)
function print(what: string, { rate, times }: { rate: number; times: number[] }): void {
  const line = `${what}: ${Math.round(rate)}/s, p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`
  process.stdout.write(`${line}\n`)
}

function grantWorkers(
  ledger: Ledger,
  { organisationId, budgets, gateways }: Place,
): (() => Promise<number>)[] {
  const each = gateways.map(({ id, incarnation }) => async () => {
    const wishes = [{ leaseId: newId(), budgets, need: '1000', want: '1000000' }]
    const { leases } = await ledger.grant({ organisationId, gatewayId: id, body: { incarnation, wishes } })
    return leases.filter(({ granted }) => granted !== '0').length
  })
  return Array.from({ length: askersPerGateway }, () => each).flat()
}

async function settleWorkers(ledger: Ledger, place: Place): Promise<(() => Promise<number>)[]> {
  const { organisationId, budgets, gateways } = place
  return Promise.all(
    gateways.map(async ({ id: gatewayId, incarnation }) => {
      const leaseId = newId()
      const amount = 10 ** 12
      const wishes = [{ leaseId, budgets, need: String(amount), want: String(amount) }]
      await ledger.grant({ organisationId, gatewayId, body: { incarnation, wishes } })
      let settled = 0
      return async () => {
        const settlements = Array.from({ length: settlementsPerReport }, () => ({
          ...{ callId: newId(), attempt: 0, leaseId, hold: '900', actual: '700', overrun: '0' },
          ...{ evidence: 'reported' as const, timeMs: Date.now() },
        }))
        settled += 700 * settlementsPerReport
        const leases = [{ leaseId, amount: String(amount), settled: String(settled), final: false }]
        await ledger.settle({ organisationId, gatewayId, body: { incarnation, leases, settlements } })
        return settlementsPerReport
      }
    }),
  )
}

const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'))
const postgres = await startPostgres(folder)
await migrateDatabase(postgres.url)
const { db, close } = connectDatabase(postgres.url, createLogger('bench', 'silent'))
try {
  const { rows } = await db.execute<{ commit: string; fsync: string }>(
    sql`select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync`,
  )
  process.stdout.write(`synchronous_commit ${rows[0]?.commit}, fsync ${rows[0]?.fsync}, ${seconds} s each\n`)
  const ledger = createLedger({ db, clock: databaseClock })
  const place = await createPlace(db)
  print('grants on one path of 4 budgets', await measure(grantWorkers(ledger, place)))
  print(`settlements, ${settlementsPerReport} a report`, await measure(await settleWorkers(ledger, place)))
  const { transfers, differences } = await checkWindows(db, place.organisationId)
  process.stdout.write(`${transfers} transfers add up, ${differences.length} differences\n`)
  if (differences.length > 0) throw new Error(JSON.stringify(differences))
} finally {
  await close()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
