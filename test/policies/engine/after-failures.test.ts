import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { constraintWith, hungry, loop, throwing } from './broken-policies.ts'
import { createEngine, evaluate, policy, programOf, script, summary } from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const denies = "deny('NO')"
const house = { target: 'local/llama3.3' }
const cheap = { strategy: 'ordered', of: [{ target: 'openai/gpt-5-mini' }, house] }

describe('after a policy broke the sandbox', () => {
  test('the next decisions of all programs are right', async () => {
    const sound = await programOf(engine, [
      { files: policy('route', 'r', [{ id: 'all', then: { use: { model: 'house' } } }]) },
    ])
    const before = evaluate(sound)
    for (const rule of [loop, hungry]) {
      const broken = await programOf(engine, [{ files: constraintWith(rule.replace('RESULT', denies)) }])
      evaluate(broken)
      expect(evaluate(sound)).toMatchObject({ decision: before.decision, fuel: before.fuel })
    }
  })

  test('many policies that loop end soon, and all of them deny', async () => {
    const loops = Object.assign(
      {},
      ...Array.from({ length: 12 }, (_, index) =>
        script(
          `loop-${index}`,
          `export default constraint('loop-${index}', { rules: [rule('x', { ${loop.replace('RESULT', denies)} })] })`,
        ),
      ),
    )
    const program = await programOf(engine, [{ files: loops }])
    const evaluation = evaluate(program)
    expect(evaluation.decision.effect).toBe('deny')
    expect(evaluation.policies.map(({ outcome, error }) => `${outcome} ${error?.kind}`)).toEqual(
      Array.from({ length: 12 }, () => 'failed timeout'),
    )
    expect(evaluation.fuel).toBeLessThan(12_000_000)
  })

  test('a policy cannot change what the next one sees', async () => {
    const program = await programOf(engine, [
      {
        files: {
          ...script(
            'a',
            "const spoil = (f: { request: object }) => { Object.assign(f.request, { stream: true }); return false }\nexport default constraint('a', { onError: 'continue', rules: [rule('spoil', { when: (f) => spoil(f), then: () => deny('A') })] })",
          ),
          ...policy('constraint', 'b', [
            { id: 'stream', when: { fact: 'request.stream' }, then: { deny: { code: 'STREAM' } } },
          ]),
        },
      },
    ])
    expect(summary(evaluate(program)).policies).toEqual(['a failed spoil !', 'b noEffect - 0'])
    expect(summary(evaluate(program))).toMatchObject({ effect: 'allow', plan: cheap })
  })

  test('the error says where: file, line and rule', async () => {
    const program = await programOf(engine, [{ files: constraintWith(throwing.replace('RESULT', denies)) }])
    expect(evaluate(program).failure).toEqual({
      code: 'policy_exception',
      policy: 'broken',
      message: 'policies/broken.policy.ts:2 rule "bad": Error: oops',
    })
  })
})
