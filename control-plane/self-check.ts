import { Backtester, type Engine, type Tally } from '@signalbox/policies'
import type { Logger } from '@signalbox/sdk/node'
import type { Database } from './db/connect.ts'
import { describeFailure } from './db/errors.ts'
import { BodyReader } from './read-records.ts'
import { databaseLibrary } from './replay-library.ts'
import { loadAllEnvironments } from './stores/documents.ts'
import { readRecordsForward } from './stores/records.ts'
import { claimSelfCheck, storeSelfCheck } from './stores/self-checks.ts'

export interface SelfCheckTools {
  readonly db: Database
  readonly engine: Engine
  readonly nowMs: () => number
  readonly log: Logger
}
interface Place {
  readonly organisationId: string
  readonly environment: string
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Hour of the day, in UTC, from which a night's check may start. */
const nightHour = 2
/** The day before is looked at in so many equal parts, and in each at the first records. */
export const selfCheckParts = 10
export const selfCheckRecordsPerPart = 500
/** After this many records other requests get their turn. */
const recordsPerTurn = 16
const examplesMax = 5

/** When the current night began. */
export function nightOf(nowMs: number): number {
  const start = nightHour * hourMs
  return Math.floor((nowMs - start) / dayMs) * dayMs + start
}

/**
 * Decides recorded calls of the day before again, at most 5,000 of an environment, spread over the day. Calls go on:
 * every few records others get their turn.
 */
async function replayDay(
  { db, engine }: SelfCheckTools,
  place: Place,
  untilMs: number,
  signal: AbortSignal,
): Promise<Tally> {
  const { organisationId, environment } = place
  const backtester = new Backtester(engine, databaseLibrary(db, organisationId), {})
  const bodies = new BodyReader(db, organisationId)
  const partMs = dayMs / selfCheckParts
  for (let part = 0; part < selfCheckParts; part++) {
    const sinceMs = untilMs - dayMs + part * partMs
    const rows = await readRecordsForward(db, organisationId, {
      filter: { environment },
      ...{ sinceMs, untilMs: sinceMs + partMs, after: undefined, limit: selfCheckRecordsPerPart },
    })
    for (const [index, row] of rows.entries()) {
      if (signal.aborted) throw new Error('the program ends')
      await backtester.add(await bodies.read(row))
      if (index % recordsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return backtester.tally
}

/** The check of one environment, where tonight's is still to be made. @returns Whether it was made here. */
export async function checkEnvironment(
  tools: SelfCheckTools,
  place: Place,
  signal: AbortSignal,
): Promise<boolean> {
  const { db, nowMs, log } = tools
  const startMs = nowMs()
  if (!(await claimSelfCheck(db, place, { nowMs: startMs, nightMs: nightOf(startMs) }))) return false
  try {
    const { self } = await replayDay(tools, place, startMs, signal)
    const { records, undecided, same, different, selections, differences } = self
    const examples = differences.slice(0, examplesMax).map(({ id }) => id)
    const counts = { records, undecided, same, different, otherSelections: selections.different, examples }
    await storeSelfCheck(db, place, { endedMs: nowMs(), ...counts })
    const line = { environment: place.environment, ...counts }
    if (different > 0 || selections.different > 0)
      log.error(line, 'recorded calls are decided differently now')
    else log.info(line, 'recorded calls were decided again')
  } catch (error) {
    const failure = error instanceof Error ? error.message.slice(0, 512) : 'unknown'
    await storeSelfCheck(db, place, { failure })
    throw error
  }
  return true
}

/** Looks every hour whether a night's checks are still to be made. @returns How to stop. */
export function keepSelfChecking(tools: SelfCheckTools): () => Promise<void> {
  const stopping = new AbortController()
  const { log } = tools
  const checkAll = async (): Promise<void> => {
    for (const place of await loadAllEnvironments(tools.db)) {
      if (stopping.signal.aborted) return
      await checkEnvironment(tools, place, stopping.signal)
    }
  }
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= checkAll()
      .catch((error: unknown) =>
        log.error({ err: describeFailure(error) }, 'recorded calls were not decided again'),
      )
      .finally(() => {
        running = undefined
      })
  }, hourMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    stopping.abort()
    await running
  }
}
