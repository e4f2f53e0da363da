import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/**
 * The long form of `test/policies/engine/determinism.test.ts`: 1,000,000 random calls in two processes, 10,000 of them
 * on fresh instances too. `node test/bench/soak-decisions.ts [ROUNDS FRESH SEED]`. `SIGNALBOX_OTHER_NODE` names another
 * Node for the second process.
 */
const script = fileURLToPath(new URL('../policies/engine/random-facts.ts', import.meta.url))
const [rounds = '1000000', fresh = '10000', seed = '1'] = process.argv.slice(2)
const run = async (node: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(node, [script, rounds, fresh, seed])
  return stdout.trim()
}
const started = performance.now()
const digests = await Promise.all([
  run(process.execPath),
  run(process.env.SIGNALBOX_OTHER_NODE ?? process.execPath),
])
const seconds = ((performance.now() - started) / 1000).toFixed(0)
process.stdout.write(`${rounds} random calls, ${fresh} on fresh instances, seed ${seed}, ${seconds} s\n`)
for (const digest of digests) process.stdout.write(`${digest}\n`)
if (new Set(digests).size > 1) throw new Error('the two processes decided differently')
