import type { Logger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import type { Database } from './connect.ts'
import { describeFailure } from './errors.ts'

const dayMs = 86_400_000
/** Names our advisory lock for making partitions: the letters `sgbp`. */
const partitionLock = 0x73676270

/** Makes the daily partitions of `record`. */
export interface Partitions {
  /** Makes the partition that holds this time, where it is missing. Cheap once it is known to be there. */
  ensurePartition(timeMs: number): Promise<void>
  /** Makes those of today and the days ahead, so that no call ever waits for one. */
  ensureAhead(nowMs: number): Promise<void>
  /** The partition of this day was dropped. */
  forget(dayStartMs: number): void
}
/** The rows of one day. */
export interface Partition {
  readonly name: string
  readonly dayStartMs: number
  /** Somebody has begun to take it away. */
  readonly detaching: boolean
}
/** How many days ahead of today partitions exist. */
export const partitionDaysAhead = 3

function partitionName(day: number): string {
  return `record_${new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '')}`
}

/**
 * A table is made by itself and attached then: attaching locks out neither readers nor writers of `record`, while
 * `create table … partition of` would wait for all of them and stop them all.
 */
async function createPartition(db: Database, day: number): Promise<void> {
  const name = partitionName(day)
  // Bounds of a partition cannot be parameters; these are texts of our own making.
  const from = sql.raw(`'${new Date(day * dayMs).toISOString()}'`)
  const to = sql.raw(`'${new Date((day + 1) * dayMs).toISOString()}'`)
  await db.transaction(async (transaction) => {
    await transaction.execute(sql`select pg_advisory_xact_lock(${partitionLock})`)
    const known = await transaction.execute<{ found: boolean }>(
      sql`select to_regclass(${name}) is not null as found`,
    )
    if (known.rows[0]?.found === true) return
    const table = sql.identifier(name)
    await transaction.execute(sql`create table ${table} (like record including all)`)
    await transaction.execute(
      sql`alter table record attach partition ${table} for values from (${from}) to (${to})`,
    )
  })
}

export function createPartitions(db: Database): Partitions {
  const known = new Set<number>()
  const ensureDay = async (day: number): Promise<void> => {
    if (known.has(day)) return
    await createPartition(db, day)
    known.add(day)
  }
  return {
    ensurePartition: (timeMs) => ensureDay(Math.floor(timeMs / dayMs)),
    async ensureAhead(nowMs) {
      const today = Math.floor(nowMs / dayMs)
      for (let day = today; day <= today + partitionDaysAhead; day++) await ensureDay(day)
      for (const day of known) if (day < today - partitionDaysAhead) known.delete(day)
    },
    forget(dayStartMs) {
      known.delete(Math.floor(dayStartMs / dayMs))
    },
  }
}

/** The partitions that there are, oldest first. */
export async function listPartitions(db: Database): Promise<Partition[]> {
  const { rows } = await db.execute<{ name: string; detaching: boolean }>(sql`
    select c.relname as name, i.inhdetachpending as detaching
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'record'::regclass order by 1`)
  return rows.flatMap(({ name, detaching }) => {
    const [, year, month, day] = /^record_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? []
    if (year === undefined) return []
    return [{ name, detaching, dayStartMs: Date.UTC(Number(year), Number(month) - 1, Number(day)) }]
  })
}

const aheadIntervalMs = 3_600_000

/** Makes the partitions of the coming days, hour by hour. @returns How to stop. */
export function keepPartitionsAhead(
  partitions: Partitions,
  { nowMs, log }: { readonly nowMs: () => number; readonly log: Logger },
): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = partitions
      .ensureAhead(nowMs())
      .catch((error: unknown) => log.error({ err: describeFailure(error) }, 'partitions were not made ahead'))
  }, aheadIntervalMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
