import { describe, expect, test } from 'vitest'
import { artefactOf, build, problemsOf, versionOf } from './builds.ts'

const policy = (imports: string, when: string): string =>
  `import { route, rule, use } from '@signalbox/policies'\n${imports}\nexport default route('a', { rules: [rule('r', { when: ${when}, then: () => use('smart') })] })\n`

describe('modules of a workspace', () => {
  test('may import each other in a circle, as long as nothing is needed while they load', async () => {
    const files = {
      'policies/a.policy.ts': policy(
        "import { isOdd } from './lib/odd.ts'",
        '(f) => isOdd(f.request.messages.count)',
      ),
      'policies/lib/odd.ts':
        "import { isEven } from './even.ts'\nexport const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1)\n",
      'policies/lib/even.ts':
        "import { isOdd } from './odd.ts'\nexport const isEven = (n: number): boolean => n === 0 || isOdd(n - 1)\n",
    }
    const { problems, version } = await build(files, true)
    expect(problems.filter(({ severity }) => severity !== 'note')).toEqual([])
    expect(version?.compiled.policies[0]?.reads).toEqual(['request.messages.count'])
  })

  test('in a circle that needs itself while it loads are refused with the place', async () => {
    const files = {
      'policies/a.policy.ts': policy("import { one } from './lib/one.ts'", '() => one > 0'),
      'policies/lib/one.ts': "import { two } from './two.ts'\nexport const one = two + 1\n",
      'policies/lib/two.ts': "import { one } from './one.ts'\nexport const two = one + 1\n",
    }
    const advice = 'import each other; use it inside a function, or move it to a file of its own'
    expect(await problemsOf(files)).toEqual([
      `policies/lib/one.ts:2:20 "two" may not be there yet: this file and policies/lib/two.ts ${advice}`,
      `policies/lib/two.ts:2:20 "one" may not be there yet: this file and policies/lib/one.ts ${advice}`,
    ])
  })

  test.each([
    ['changing a built-in', 'Array.prototype.extra = 1', 'TypeError'],
    ['throwing', "throw new Error('at load')", 'Error: at load'],
    ['not ending', 'for (;;) {}', 'fuel'],
  ])('that have an effect when they load, as %s, are refused', async (_, effect, message) => {
    const files = {
      'policies/a.policy.ts': policy("import { one } from './lib/one.ts'", '() => one > 0'),
      'policies/lib/one.ts': `export const one = 1\n${effect}\n`,
    }
    const [problem, ...others] = await problemsOf(files)
    expect(problem).toMatch(/^policies\/(lib\/one\.ts:2|a\.policy\.ts:1):\d+ the file cannot be loaded/)
    expect(problem).toContain(message)
    expect(others).toEqual([])
  })

  test('state at the top of a shared module is refused, wherever it is imported from', async () => {
    const files = {
      'policies/a.policy.ts': policy("import { next } from './lib/count.ts'", '() => next() > 3'),
      'policies/lib/count.ts': 'let count = 0\nexport const next = (): number => count++\n',
    }
    expect(await problemsOf(files)).toEqual([
      'policies/lib/count.ts:1:1 "let" at the top of a file is state, which a policy does not have; use "const"',
    ])
  })

  test('may import JSON, with its types', async () => {
    const files = {
      'policies/lib/tiers.json': '{ "free": { "tokens": 100 }, "names": ["a", "b"] }',
      'policies/a.policy.ts': policy(
        "import tiers from './lib/tiers.json'",
        '(f) => f.request.estimate.outputTokens > tiers.free.tokens',
      ),
    }
    const { problems, version } = await build(files, true)
    expect(problems.filter(({ severity }) => severity !== 'note')).toEqual([])
    expect(version?.script).toContain('tokens: 100')
    const wrong = {
      ...files,
      'policies/a.policy.ts': files['policies/a.policy.ts'].replace('tokens', 'tokenz'),
    }
    expect(await problemsOf(wrong, true)).toEqual([
      expect.stringContaining('there is no "tokenz" in tiers.free; did you mean "tokens"?'),
    ])
    const broken = { ...files, 'policies/lib/tiers.json': '{ "free": }' }
    expect(await problemsOf(broken)).toEqual([expect.stringMatching(/^policies\/lib\/tiers\.json:1:\d+ /)])
  })

  test('export again what others export, and conditions are read through it', async () => {
    const version = await versionOf({
      'policies/a.policy.ts': policy("import { isFree } from './lib/index.ts'", '(f) => isFree(f)'),
      'policies/lib/index.ts': "export { isUnpaid as isFree } from './tiers.ts'\n",
      'policies/lib/tiers.ts': "export const isUnpaid = (f) => f.request.metadata.tier === 'free'\n",
    })
    const [policyOf] = version.compiled.policies
    expect(policyOf?.rules[0]?.conditions).toEqual([
      {
        text: 'isFree(f)',
        reads: ['request.metadata.tier'],
        lifted: true,
        expression: { eq: [{ fact: 'request.metadata.tier' }, 'free'] },
      },
    ])
    expect(artefactOf(version, 'compiled/policies.js.map')).toContain('policies/lib/tiers.ts')
  })
})

describe('policies as the design draws them', () => {
  const local = `import { constraint, rule, only, requireGuard } from '@signalbox/policies'
export default constraint('sensitive-stays-local', {
  phase: 'route', onError: 'deny',
  rules: [
    rule('confidential-on-prem-only', {
      when: (f) => (f.data.sensitivity?.rank ?? 0) >= 3 || (f.data.detectors.secrets?.hits ?? 0) > 0,
      then: (f) => only(f.models.where({ locality: 'on-prem' }), { code: 'LOCAL_ONLY_CONFIDENTIAL' }),
    }),
    rule('pii-needs-output-scan', {
      when: (f) => (f.data.detectors.pii?.hits ?? 0) > 0,
      then: () => requireGuard('output', 'pii-redact', { onError: 'block' }),
    }),
  ],
})
`
  const draft = `import { route, rule, pipeline, step, use, signal } from '@signalbox/policies'
export default route('draft-then-polish', {
  match: { operation: 'chat', route: 'docs/*' },
  rules: [
    rule('long-docs', {
      when: (f) => f.request.estimate.outputTokens > 600 && !f.request.stream,
      then: () => pipeline(
        step('draft',  use('cheap').maxOutputTokens(900)),
        step('polish', use('smart').prompt('polish'),
             { onlyIf: signal('draft.confidencePpm').lt(800_000), onFailure: 'returnPrevious' }),
      ).costCap(20_000_000 /* nano-dollars */),
    }),
    rule('default', { then: () => use('cheap').fallback('smart') }),
  ],
})
`
  const canary = `import { route, rule, use, inBucket, param } from '@signalbox/policies'
const ppm = param.int('canary_ppm', { default: 50_000, min: 0, max: 1_000_000 })
export default route('summarise-canary', {
  match: { operation: 'chat', route: 'summarise' },
  rules: [
    rule('canary',  { when: (f) => inBucket(f, { rollout: 'sum-2026-09', ppm: ppm() }),
                      then: () => use('smart').variant('canary').fallback('cheap') }),
    rule('control', { then: () => use('cheap').variant('control') }),
  ],
})
`

  test('compile, type-check, and are data to the last condition', async () => {
    const { problems, version } = await build(
      {
        'policies/1.policy.ts': local,
        'policies/2.policy.ts': draft.replace(/pipeline\([\s\S]*?\)\.costCap/, "use('smart').costCap"),
        'policies/4.policy.ts': canary,
        'guardrails/pii.guardrail.json':
          '{ "kind": "guardrail", "id": "pii-redact", "direction": "output", "when": { "gt": [{ "fact": "findings.pii.hits", "or": 0 }, 0] }, "then": { "flag": { "code": "PII" } } }',
        'prompts/polish.prompt.md': '---\nname: polish\nvariables: {}\n---\nPolish it.\n',
      },
      true,
    )
    expect(problems.filter(({ severity }) => severity !== 'note')).toEqual([])
    const conditions = version?.compiled.policies.flatMap(({ rules }) =>
      rules.flatMap((rule) => rule.conditions),
    )
    expect(conditions?.length).toBe(6)
    expect(conditions?.filter(({ lifted }) => !lifted)).toEqual([])
  })

  test('a pipeline passes `check`', async () => {
    const files = {
      'policies/2.policy.ts': draft,
      'prompts/polish.prompt.md': '---\nname: polish\nvariables: {}\n---\nPolish it.\n',
    }
    expect(await problemsOf(files, true)).toEqual([])
  })
})
