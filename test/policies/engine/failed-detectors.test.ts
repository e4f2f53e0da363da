import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, evaluate, policy, programOf, script, summary } from './programs.ts'

let engine: Awaited<ReturnType<typeof createEngine>>
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const rules = [
  {
    id: 'keys',
    when: { gt: [{ fact: 'data.detectors.secrets.hits', or: 0 }, 0] },
    then: { deny: { code: 'SECRET' } },
  },
]
const failed = { data: { detectors: {}, detectorErrors: ['secrets'] } }

describe('a rule that reads a detector that failed', () => {
  it('takes its onError: silence does not pass for a clean text', async () => {
    const program = await programOf(engine, [{ files: policy('constraint', 'keep', rules) }])
    expect(summary(evaluate(program)).effect).toBe('allow')
    expect(summary(evaluate(program, failed))).toMatchObject({ effect: 'deny', failure: 'policy_exception' })
    expect(summary(evaluate(program, { data: { ...failed.data, detectorErrors: ['pii'] } })).effect).toBe(
      'allow',
    )
  })

  it('lets the call go on where its author says so', async () => {
    const files = policy('constraint', 'keep', rules, { onError: 'continue' })
    const program = await programOf(engine, [{ files }])
    expect(summary(evaluate(program, failed)).effect).toBe('allow')
  })

  it('breaks in TypeScript too, whatever default stands after it', async () => {
    const files = script(
      'keep',
      "export default constraint('keep', { rules: [rule('keys', { when: (f) => (f.data.detectors.secrets?.hits ?? 0) > 0, then: () => deny('SECRET') })] })",
    )
    const program = await programOf(engine, [{ files }])
    expect(summary(evaluate(program, failed)).failure).toBe('policy_exception')
  })
})
