import type { Engine, Evaluation, Program } from '@signalbox/policies'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HostileScript, hostileScripts, isOutput } from '../sandbox/hostile-corpus.ts'
import { createEngine, evaluate, type Files, policy, programOf, script } from './programs.ts'

/**
 * Of this thread's processor time for one decision. A policy at fault is asked twice: with all others, then by itself
 * with a quarter of the fuel.
 */
const boundMs = 20
/** Decisions of which the quickest counts: what other programs take from the processor's caches is not the policy's. */
const tries = 3
const codes = {
  timeout: 'policy_timeout',
  memory: 'policy_memory',
  exception: 'policy_exception',
} as const
/** What the compiler refuses already, by the name of what the sandbox does not have. */
const absent = /\b(?:await|async|eval|process|Date|Math\.random|Proxy|SharedArrayBuffer|Promise)\b/
const scripts = hostileScripts.filter(({ body }) => !absent.test(body))
const refusedScripts = hostileScripts.filter(({ body }) => absent.test(body))

/** Of a thrown value a policy's runtime asks the text and nothing else; and nothing async is there at all. */
const exceptions = [
  'an error whose stack never comes',
  'a thrown value that never prints',
  'a promise for an answer',
]

function endOf(hostile: HostileScript): HostileScript['ends'] {
  if (exceptions.includes(hostile.name)) return 'exception'
  return isOutput(hostile) ? 'nothing' : hostile.ends
}

const innocent = policy('constraint', 'innocent', [
  {
    id: 'cap',
    when: { eq: [{ fact: 'request.metadata.feature', or: '' }, 'docs'] },
    then: { cap: { maxOutputTokens: 10 } },
  },
  {
    id: 'bucket',
    when: { bucket: { rollout: 'hostile', ppm: 500_000 } },
    then: { only: { where: { locality: 'on-prem' } } },
  },
])

/** Each script in the condition of a constraint that only calls of a route of its own are asked. */
function hostileFiles(scripts: readonly HostileScript[]): Files {
  const hostile = scripts.map(({ body }, index) =>
    script(
      `h${index}`,
      `export default constraint('h${index}', { match: { route: 'h${index}' }, rules: [rule('x', {
         when: (f) => { const run = () => { ${body} }; run(); return f.request.stream },
         then: () => deny('X') })] })`,
    ),
  )
  return Object.assign({}, innocent, ...hostile)
}

/** The decision on an innocent call that nobody made before. */
function innocentCall(program: Program, caller: string): Omit<Evaluation, 'evaluationUs'> {
  const { evaluationUs: _, ...rest } = evaluate(program, {
    request: { metadata: { feature: 'docs' } },
    subject: { stickyKey: caller },
  })
  return rest
}

/** The decision on a call of the route of a script, and what it took. */
function timed(index: number): { evaluation: Evaluation; ms: number } {
  const before = process.threadCpuUsage()
  const evaluation = evaluate(program, { request: { route: `h${index}` } })
  const { user, system } = process.threadCpuUsage(before)
  return { evaluation, ms: (user + system) / 1000 }
}

let engine: Engine
let program: Program
let fresh: Program
beforeAll(async () => {
  engine = await createEngine()
  const files = hostileFiles(scripts)
  program = await programOf(engine, [{ files }])
  fresh = await programOf(await createEngine(), [{ files }])
})
afterAll(() => engine.dispose())

test('what only the sandbox’s lack would stop is refused by the compiler, each at its file', async () => {
  const files = hostileFiles(refusedScripts)
  const told = await programOf(engine, [{ files }]).then(() => '', String)
  for (const index of refusedScripts.keys()) expect(told).toContain(`"file":"policies/h${index}.policy.ts"`)
})

test.each(
  scripts.map((hostile, index) => ({ hostile, index, name: hostile.name })),
)('$name: the call is decided as documented, the next as in a fresh engine', ({ hostile, index }) => {
  const ends = endOf(hostile)
  const times: number[] = []
  for (let round = 1; round < tries; round++) times.push(timed(index).ms)
  const { evaluation, ms } = timed(index)
  const { failure, decision, policies } = evaluation
  expect(Math.min(...times, ms)).toBeLessThan(boundMs)
  if (ends !== 'nothing') {
    expect(decision.effect).toBe('deny')
    expect(failure).toMatchObject({ code: codes[ends], policy: `h${index}` })
  } else expect(policies.find(({ id }) => id === `h${index}`)?.outcome).toBe('noEffect')
  expect(innocentCall(program, `caller-${index}`)).toEqual(innocentCall(fresh, `caller-${index}`))
})
