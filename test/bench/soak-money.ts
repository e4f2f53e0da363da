import { MoneyArena } from '../support/money-arena.ts'
import { type CountedKind, countedKinds, type FaultKind, faultKinds } from '../support/money-faults.ts'
import { SeededRandom } from '../support/seeded-random.ts'

/*
 * The long form of `test/integration/money-faults.test.ts`: schedules of calls and faults on control plane, PostgreSQL
 * and 1 to 8 gateways as processes, beside a provider whose bill no gateway sees. Says what was played, how often each
 * fault came, and every difference; fails where a rule is broken or a fault did not come often enough.
 * `node test/bench/soak-money.ts [SECONDS GATEWAYS_MAX SEED LEAST_OF_EACH]`.
 */
const [secondsText = '900', gatewaysText = '8', seedText = String(Date.now() % 2 ** 31), leastText = '1'] =
  process.argv.slice(2)
const gatewaysMax = Number(gatewaysText)
const random = new SeededRandom(Number(seedText))
const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const deadly: ReadonlySet<FaultKind> = new Set(['kill', 'drain'])

/** Deals things so that all come equally often. */
function dealer<T>(things: readonly T[]): () => T {
  let left: T[] = []
  return () => {
    if (left.length === 0) left = random.shuffle(things)
    return left.pop() as T
  }
}

const nextGateways = dealer(Array.from({ length: gatewaysMax }, (_, index) => index + 1))
const nextKind = dealer(faultKinds)
const counts = Object.fromEntries(countedKinds.map((kind) => [kind, 0])) as Record<CountedKind, number>
const totals = { schedules: 0, exactSchedules: 0, calls: 0, exact: 0, looks: 0, differences: 0, keysMost: 0 }
const violations: string[] = []
const arena = await MoneyArena.open(gatewaysMax, Number(seedText))
const endMs = performance.now() + Number(secondsText) * 1000
const waiting: FaultKind[] = []

/** Kinds of the next schedule; what does not suit it waits for one that it suits. */
function dealKinds(isExact: boolean): FaultKind[] {
  const kinds: FaultKind[] = []
  while (kinds.length < 7) {
    const held = waiting.findIndex((kind) => !isExact || !deadly.has(kind))
    const kind = held === -1 ? nextKind() : (waiting.splice(held, 1)[0] as FaultKind)
    if (isExact && deadly.has(kind)) waiting.push(kind)
    else kinds.push(kind)
  }
  return kinds
}

while (performance.now() < endMs) {
  const isExact = totals.schedules % 3 === 2
  const schedule = {
    ...{ seed: random.between(0, 2 ** 31), seconds: 25, callers: random.between(4, 14), isExact },
    ...{ kinds: dealKinds(isExact), gateways: nextGateways(), keys: random.between(40, 120) },
  }
  const startedMs = performance.now()
  const result = await arena.play(schedule)
  totals.schedules++
  if (isExact) totals.exactSchedules++
  totals.calls += result.calls
  totals.keysMost = Math.max(totals.keysMost, result.keys)
  totals.exact += result.exact
  totals.looks += result.looks
  totals.differences += result.differences.length
  for (const kind of countedKinds) counts[kind] += result.counts[kind]
  violations.push(...result.violations)
  say(
    `schedule ${totals.schedules}${isExact ? ' (exact)' : ''}: seed ${schedule.seed}, ${schedule.gateways} gateways, ${result.keys} keys, ${schedule.kinds.join(' ')}`,
  )
  say(`  ${((performance.now() - startedMs) / 1000).toFixed(0)} s, ${JSON.stringify(result.endings)}`)
  say(
    `  ${result.calls} calls, ${result.exact} exact, ${result.looks} looks, ${result.violations.length} rules broken`,
  )
  for (const difference of result.differences) say(`  ${difference}`)
  for (const violation of result.violations) say(`  VIOLATION ${violation}`)
}
await arena.close()
const rare = countedKinds.filter((kind) => counts[kind] < Number(leastText))
say(`seed ${seedText}: ${JSON.stringify(totals)}`)
say(`faults: ${JSON.stringify(counts)}`)
for (const kind of rare) say(`TOO RARE ${kind}: ${counts[kind]} times, ${leastText} at least`)
say(violations.length === 0 ? 'no rule broken' : `${violations.length} rules broken`)
process.exitCode = violations.length + rare.length === 0 ? 0 : 1
