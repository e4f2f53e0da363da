import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import fc from 'fast-check'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { migrateDatabase } from '../../control-plane/db/migrate.ts'
import { startPostgres } from '../../control-plane/postgres/start.ts'
import type { Step } from '../control-plane/ledger/fleet.ts'
import { ModelLedger } from '../control-plane/ledger/model-ledger.ts'
import { playSchedule, schedules } from '../control-plane/ledger/play-schedule.ts'
import { ComparedLedger, PostgresLedger } from '../control-plane/ledger/postgres-ledger.ts'

/*
 * The long form of `test/control-plane/ledger`: random schedules of grants, calls, reports and faults, on the model
 * alone and on PostgreSQL beside the model. `node test/bench/soak-ledger.ts [MODEL_RUNS POSTGRES_RUNS SEED]`.
 */
const [modelRuns = '20000', postgresRuns = '300', seedText = String(Date.now() % 2 ** 31)] =
  process.argv.slice(2)
const seed = Number(seedText)

/** @throws Error with the smallest schedule that breaks a rule. */
async function soak(
  what: string,
  property: fc.IAsyncProperty<[steps: Step[]]>,
  numRuns: number,
): Promise<void> {
  const started = performance.now()
  await fc.assert(property, { seed, numRuns })
  const elapsedS = ((performance.now() - started) / 1000).toFixed(0)
  process.stdout.write(`${what}: ${numRuns} schedules, seed ${seed}, ${elapsedS} s, no rule broken\n`)
}

const onModel = fc.asyncProperty(schedules(800), (steps) => playSchedule(new ModelLedger(), steps))
await soak('model', onModel, Number(modelRuns))
const folder = mkdtempSync(join(tmpdir(), 'signalbox-soak-'))
const postgres = await startPostgres(folder, { durable: false })
await migrateDatabase(postgres.url)
const { db, close } = connectDatabase(postgres.url, createLogger('soak', 'silent'))
try {
  const onPostgres = fc.asyncProperty(schedules(300), async (steps) => {
    const ledger = new ComparedLedger(await new PostgresLedger(db).create())
    await playSchedule(ledger, steps)
    await ledger.real.reconcile()
  })
  await soak('PostgreSQL', onPostgres, Number(postgresRuns))
} finally {
  await close()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
