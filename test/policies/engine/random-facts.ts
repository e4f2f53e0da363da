/**
 * Evaluates random facts and digests what comes out, decision by decision: run in two processes, the digests must
 * agree. `node random-facts.ts ROUNDS FRESH SEED` prints the digest; FRESH of the rounds are also asked of an instance
 * that was started for them alone: a policy that loops had the one before thrown away.
 */
import { createHash } from 'node:crypto'
import type { Evaluation } from '@signalbox/policies'
import type { Facts } from '@signalbox/sdk/contract'
import { createEngine, factsOf, policy, programOf, script } from './programs.ts'

/** Enough for each round; the trap that has the instance thrown away takes no longer. */
const trapFuel = 50_000

const files = {
  ...policy('constraint', 'tiers', [
    {
      id: 'free',
      when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
      then: { cap: { maxOutputTokens: 100 } },
    },
    {
      id: 'large',
      when: { gt: [{ fact: 'request.estimate.inputTokens' }, 5000] },
      then: { only: { where: { locality: 'on-prem' } } },
    },
    {
      id: 'docs',
      when: { startsWith: [{ fact: 'request.route' }, 'docs/'] },
      then: { deny: { code: 'DOCS' } },
    },
  ]),
  ...script(
    'trap',
    `export default constraint('trap', { match: { route: 'trap' }, rules: [
      rule('loop', { when: () => { for (;;); }, then: () => deny('X') }) ] })`,
  ),
  ...script(
    'computed',
    `export default route('computed', { onError: 'continue', rules: [
      rule('breaks', { when: (f) => f.request.metadata.level !== undefined && f.request.metadata.level > 95
        && JSON.parse('null').x, then: () => continueRoute() }),
      rule('words', { when: (f) => /^[a-f]+\\d/.test(f.request.metadata.feature ?? ''),
        then: (f) => use('smart').annotate('feature', (f.request.metadata.feature ?? '').split('').sort().join('')
          + (f.request.estimate.inputTokens / 7).toString(36)) }),
      rule('canary', { when: (f) => inBucket(f, { rollout: 'r', ppm: 300000 }),
        then: (f) => use('house').maxOutputTokens(1 + f.request.estimate.outputTokens) }),
      rule('rest', { then: () => continueRoute() }) ] })`,
  ),
}

/** mulberry32: the same numbers from the same seed in every process. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function randomFacts(next: (below: number) => number, plain: Facts): Facts {
  const letters = ['a', 'b', 'f', 'z', 'é', '\u{1f600}', '1', '"']
  const word = () => Array.from({ length: 1 + next(6) }, () => letters[next(letters.length)]).join('')
  const route = next(20) === 0 ? `docs/${word()}` : word()
  const metadata = {
    ...(next(3) > 0 && { tier: next(2) === 0 ? 'free' : 'paid' }),
    ...(next(3) > 0 && { feature: word() }),
    ...(next(3) > 0 && { level: next(100) }),
  }
  return {
    ...plain,
    request: {
      ...plain.request,
      route,
      metadata,
      estimate: { ...plain.request.estimate, inputTokens: next(8000), outputTokens: next(4000) },
    },
    subject: { ...plain.subject, stickyKey: `${word()}-${next(1_000_000)}` },
  }
}

function lineOf({ decisionJson, policies, fuel, failure }: Evaluation): string {
  return `${decisionJson} ${JSON.stringify(policies)} ${fuel} ${JSON.stringify(failure)}\n`
}

/** The digest of `rounds` evaluations on one engine. Throws where one of the `fresh` differs from it. */
export async function digestOfRandomFacts(rounds: number, fresh: number, seed: number): Promise<string> {
  const engine = await createEngine()
  const program = await programOf(engine, [{ files }])
  const next = randomOf(seed)
  const plain = factsOf()
  const hash = createHash('sha256')
  const every = Math.max(1, Math.floor(rounds / Math.max(1, fresh)))
  const other = await createEngine({ fuel: trapFuel })
  const restarted = await programOf(other, [{ files }])
  for (let round = 0; round < rounds; round++) {
    const input = { facts: randomFacts(next, plain), models: [], params: {} }
    const line = lineOf(program.evaluate(input))
    hash.update(line)
    if (round % every !== 0) continue
    const trapped = restarted.evaluate({ ...input, facts: factsOf({ request: { route: 'trap' } }) })
    if (trapped.failure?.code !== 'policy_timeout') throw new Error('the trap did not spring')
    const again = lineOf(restarted.evaluate(input))
    if (again !== line) throw new Error(`round ${round} differs on a fresh instance:\n${line}${again}`)
  }
  other.dispose()
  engine.dispose()
  return hash.digest('hex')
}

if (import.meta.main) {
  const [rounds = 50_000, fresh = 500, seed = 1] = process.argv.slice(2).map(Number)
  process.stdout.write(`${await digestOfRandomFacts(rounds, fresh, seed)}\n`)
}
