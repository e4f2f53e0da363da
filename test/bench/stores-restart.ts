import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { redisBinary } from '../support/needs.ts'
import { type CallNote, StoresRig } from './parts/stores-rig.ts'

/**
 * Redis and PostgreSQL stopped, hung and started again under load: two gateways that share Redis, a control plane, and
 * calls of every kind that has to do with a store (hard budget, shared limits, cache, streams). Calls go on, what is
 * away is said, all comes back by itself, no record and no nano-dollar is missing.
 * `node test/bench/stores-restart.ts [CALLS_PER_SECOND SECONDS_AWAY]`: 40 and 10; ends with an error where it does not hold.
 */
const [perSecond = 40, awayS = 10] = process.argv.slice(2).map(Number)
const slowMsMax = 2000
const backMsMax = 15_000
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const broken: string[] = []
const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0)

/** Waits until something holds, and says how long that took; what does not hold in time is noted. */
async function within(what: string, timeoutMs: number, check: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now()
  try {
    await eventually(async () => {
      if (!(await check())) throw new Error('not yet')
    }, timeoutMs)
    say(`  ${what}: after ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  } catch {
    broken.push(`${what}: not within ${timeoutMs / 1000} s`)
  }
}

/** What a phase's calls came to. A hard budget may say 503 where the ledger is away and its lease is used up. */
function tell(rig: StoresRig, phase: string, isLedgerAway: boolean): void {
  const notes = rig.notes.filter((each) => each.phase === phase)
  const failed = notes.filter(({ isWhole }) => !isWhole)
  const isHonest = ({ kind, code }: CallNote): boolean =>
    isLedgerAway && kind === 'budgeted' && code === 'not_ready'
  const wrong = failed.filter((each) => !isHonest(each))
  const times = notes.map(({ ms, kind }) => (kind === 'stream' ? 0 : ms)).sort((a, b) => a - b)
  const kinds = Object.entries(
    Object.groupBy(failed, ({ kind, status, code }) => `${kind} ${status} ${code}`),
  )
  const asked = rig.asked.filter((each) => each.phase === phase).map(({ status }) => status)
  say(
    `${phase}: ${notes.length} calls, ${failed.length} without an answer; p50 ${at(times, 0.5)} ms, ` +
      `p99 ${at(times, 0.99)} ms, most ${at(times, 1)} ms; status asked: ${[...new Set(asked)].join(' ')}`,
  )
  for (const [kind, all] of kinds) say(`  ${all?.length} times ${kind}`)
  if (notes.length === 0) broken.push(`${phase}: no calls`)
  if (wrong.length > 0) broken.push(`${phase}: ${wrong.length} of ${notes.length} calls failed`)
  if (Number(at(times, 1)) > slowMsMax) broken.push(`${phase}: a call took ${at(times, 1)} ms`)
  const unsaid = asked.filter((status) => status !== 200 && !(isLedgerAway && status === 503))
  if (unsaid.length > 0) broken.push(`${phase}: the control plane answered ${unsaid.join(' ')}`)
}

async function play(
  rig: StoresRig,
  phase: string,
  run: () => Promise<void>,
  isLedgerAway = false,
): Promise<void> {
  say('')
  rig.phase = phase
  await run()
  rig.phase = 'between'
  tell(rig, phase, isLedgerAway)
}

const gatewayUrls = (rig: StoresRig): string[] => rig.world.gateways.map(({ url }) => url)
const sharedStoreIs = (rig: StoresRig, said: string) => async (): Promise<boolean> => {
  const all = await Promise.all(gatewayUrls(rig).map((url) => rig.readyz(url)))
  return all.every(({ status, body }) => status === 200 && body.sharedStore === said)
}
const metricIs = (rig: StoresRig, name: string, check: (value: number) => boolean) => async () => {
  const all = await Promise.all(rig.world.gateways.map((_, number) => rig.metric(number, name)))
  return all.every((value) => value !== undefined && check(value))
}
const reported = (rig: StoresRig, said: string) => async (): Promise<boolean> => {
  const { environments } = await rig.world.client.getStatus({ environment: 'development' })
  return environments.every(({ gateways }) => gateways.every(({ report }) => report?.sharedStore === said))
}
const planeIs = (rig: StoresRig, status: number) => async (): Promise<boolean> =>
  (await rig.readyz(rig.world.plane.url)).status === status

async function loseRedis(rig: StoresRig): Promise<void> {
  await rig.redis.stop()
  await within('readyz says that the shared store is away', 2000, sharedStoreIs(rig, 'away'))
  await within(
    'so does the metric',
    1000,
    metricIs(rig, 'signalbox_shared_store_up', (up) => up === 0),
  )
  await within('so does the status', 12_000, reported(rig, 'away'))
  await wait(awayS * 1000)
}
async function findRedis(rig: StoresRig): Promise<void> {
  await rig.redis.start()
  await within('gateways share again', backMsMax, sharedStoreIs(rig, 'connected'))
  await within('the status says so', 12_000, reported(rig, 'connected'))
}
async function losePostgres(rig: StoresRig): Promise<void> {
  await rig.stopPostgres()
  await within('the control plane says that it is not ready', 3000, planeIs(rig, 503))
  const said = metricIs(rig, 'signalbox_journal_upload_failures_total', (count) => count > 0)
  await within('gateways count what did not arrive', 10_000, said)
  await wait(awayS * 1000)
}
async function findPostgres(rig: StoresRig): Promise<void> {
  await rig.startPostgres()
  await within('the control plane is ready', backMsMax, planeIs(rig, 200))
  // Questions to the ledger are asked again after two seconds at most.
  await wait(3000)
}

async function loseBoth(rig: StoresRig): Promise<void> {
  await Promise.all([rig.redis.stop(), rig.stopPostgres()])
  await within('readyz says that the shared store is away', 2000, sharedStoreIs(rig, 'away'))
  await wait(awayS * 1000)
}
async function findBoth(rig: StoresRig): Promise<void> {
  await findPostgres(rig)
  await findRedis(rig)
}

/** Every call has its record, and the ledger says what the provider bills. */
async function settle(rig: StoresRig): Promise<void> {
  say('')
  const wanted = new Set(rig.notes.flatMap(({ id }) => id ?? []))
  let last = ''
  await within(`all ${wanted.size} records are there`, 60_000, async () => {
    const found = new Set<string>()
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await rig.world.client.listRecords({
        limit: 1000,
        ...(cursor !== undefined && { cursor }),
      })
      for (const { id } of page.items) found.add(id)
      cursor = page.nextCursor
    }
    last = `${[...wanted].filter((id) => !found.has(id)).length} records are missing`
    return [...wanted].every((id) => found.has(id))
  })
  const bill = rig.world.upstream.bill('budgeted-')
  let settled = 0n
  await within('the ledger says what the provider bills', 30_000, async () => {
    settled = (await rig.world.sums(rig.budgetId)).settled
    return settled === bill
  })
  say(`  ${last}; ${settled} of ${bill} nano-dollars are settled`)
}

if (redisBinary() === undefined) throw new Error('there is no redis-server on the PATH')
const rig = await StoresRig.open()
try {
  rig.start(perSecond)
  // The first leases, and what a second of spending is.
  await wait(8000)
  await play(rig, 'calm', () => wait(3000))
  await play(rig, 'Redis away', () => loseRedis(rig))
  await play(rig, 'Redis back', () => findRedis(rig))
  await play(rig, 'Redis hangs', async () => {
    rig.redis.pause()
    await within('readyz says so', 3000, sharedStoreIs(rig, 'away'))
    await wait(awayS * 500)
    rig.redis.goOn()
    await within('gateways share again', backMsMax, sharedStoreIs(rig, 'connected'))
  })
  await play(rig, 'PostgreSQL away', () => losePostgres(rig), true)
  await play(rig, 'PostgreSQL back', () => findPostgres(rig), true)
  await play(rig, 'calm again', () => wait(3000))
  await play(rig, 'both away', () => loseBoth(rig), true)
  await play(rig, 'both back', () => findBoth(rig), true)
  await play(rig, 'calm at last', () => wait(3000))
  await rig.finish()
  await settle(rig)
} finally {
  for (const each of await rig.close()) broken.push(`did not end: ${each}`)
}

for (const each of broken) say(`BROKEN ${each}`)
say(broken.length === 0 ? 'all holds' : `${broken.length} things do not hold`)
process.exitCode = broken.length === 0 ? 0 : 1
