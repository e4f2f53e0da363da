import { LeakRig } from '../gateway/guardrails/leak-rig.ts'
import { checkBlocks, checkLeaks } from '../support/leak-check.ts'

/**
 * The long form of `test/gateway/guardrails/leaks.test.ts`: `node test/bench/leaks.ts [MATCHES SEED]`, 100,000 matches
 * where nothing else is said. Ends with an error where a part of a match went out.
 */
const [wanted = '100000', seed = '1'] = process.argv.slice(2)
const batch = 2000
const shown = 10
const rig = await LeakRig.create()
const started = performance.now()
const sum = { streams: 0, matches: 0, leaks: 0, others: 0 }
for (let round = 0; sum.matches < Number(wanted); round++) {
  const left = Math.min(batch, Number(wanted) - sum.matches)
  // One round in ten is of matches that lie in two blocks or more; what else differs there is no fault.
  const isOfBlocks = round % 10 === 9
  const { streams, matches, leaks, others } = isOfBlocks
    ? { ...checkBlocks(rig, left, Number(seed) + round), others: [] }
    : checkLeaks(rig, left, Number(seed) + round)
  sum.streams += streams
  sum.matches += matches
  sum.leaks += leaks.length
  sum.others += others.length
  process.stderr.write(`${sum.matches} matches, ${sum.leaks} leaked, ${sum.others} differed otherwise\n`)
  for (const each of [...leaks, ...others].slice(0, shown)) process.stdout.write(`${each}\n`)
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
process.stdout.write(
  `${sum.matches} matches in ${sum.streams} streams, seed ${seed}, ${seconds} s: ${sum.leaks} leaked, ${sum.others} differed otherwise\n`,
)
if (sum.leaks > 0) throw new Error('a match went out')
process.exit(0)
