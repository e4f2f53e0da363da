import { runChaos } from '../gateway/attempts/chaos.ts'

/**
 * Calls at a gateway whose first target fails three times of ten, by a maintained simulator's chaos mode, with two
 * healthy targets behind it; then with faults in the middle of answers too. `node test/bench/chaos.ts [CALLS SEED]`.
 */
const [calls = '10000', seed = '1'] = process.argv.slice(2)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
let isGood = true
const rounds = [false, true].flatMap((late) => [true, false].map((breakers) => ({ late, breakers })))
for (const { late, breakers } of rounds) {
  const report = await runChaos({ calls: Number(calls), atOnce: 32, seed: Number(seed), late, breakers })
  const { answered, typedErrors, silent, records, misreplayed, attempts, seconds } = report
  const share = ((answered / report.calls) * 100).toFixed(3)
  const when = late ? 'before the first byte and after it' : 'before the first byte'
  say(`faults ${when}, ${breakers ? 'with' : 'without'} breakers`)
  say(`  ${report.calls} calls, ${attempts} attempts, ${seconds.toFixed(1)} s, seed ${seed}`)
  say(`  ${answered} answers (${share} %), ${typedErrors} typed errors, ${silent} silent`)
  say(`  ${records} records, ${misreplayed} selections that do not replay`)
  const isKept = silent === 0 && records === report.calls && misreplayed === 0
  isGood &&= isKept && (late || answered >= report.calls * 0.999)
}
if (!isGood) throw new Error('a bar was missed')
