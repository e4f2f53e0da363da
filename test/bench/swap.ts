import { runSwaps } from './parts/swap-rig.ts'

/**
 * Releases and states that change under load: `node test/bench/swap.ts [releases] [states] [calls per second] [seconds]`,
 * the changes spread over so many seconds, 0 for one after the other. Ends with 1 where a call failed or saw two
 * versions, where p99 more than doubled, or where a change took 2 s.
 */
const [releases = 50, states = 500, callsPerSecond = 550, seconds = 60] = process.argv.slice(2).map(Number)
const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const scale = {
  versions: Math.min(10, releases),
  releases,
  states,
  callsPerSecond,
  quietMs: 10_000,
  overMs: seconds * 1000,
}
const result = await runSwaps(scale)
const { quiet, busy, failed, mixed, propagation } = result
const ms = (value: number): string => `${value.toFixed(1)} ms`

say(`quiet  p50 ${ms(quiet.p50Ms)}  p99 ${ms(quiet.p99Ms)}  ${quiet.count} calls`)
say(
  `busy   p50 ${ms(busy.p50Ms)}  p99 ${ms(busy.p99Ms)}  ${busy.count} calls, ${result.busyPerSecond.toFixed(0)}/s`,
)
say(`failed ${failed.length} calls${failed.length > 0 ? `: ${failed.slice(0, 3).join('; ')}` : ''}`)
say(
  `mixed  ${mixed.length} of ${result.records} records${mixed.length > 0 ? `: ${mixed.slice(0, 3).join('; ')}` : ''}`,
)
say(`changes that came back with a gateway pending: ${result.pending}`)
for (const [what, { p50Ms, p99Ms, count }] of Object.entries(propagation)) {
  say(
    `${what.padEnd(11)} p50 ${ms(p50Ms)}  p99 ${ms(p99Ms)}  ${count} changes, request to last acknowledgement`,
  )
}
const slow = Object.values(propagation).some(({ p99Ms }) => p99Ms >= 2000)
if (failed.length > 0 || mixed.length > 0 || slow || busy.p99Ms > 2 * quiet.p99Ms) process.exitCode = 1
