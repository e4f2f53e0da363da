import { describe, expect, test } from 'vitest'
import { problemsOf } from './builds.ts'

const file = 'policies/a.policy.ts'
const imports =
  "import { constraint, cap, deny, inBucket, only, ordered, param, requireGuard, route, rule, use, weighted } from '@signalbox/policies'"

/** A route with one rule that starts at column 3 of line 3. */
function route(rule: string): string {
  return `${imports}\nexport default route('a', { rules: [\n  ${rule},\n] })\n`
}
function constraint(rule: string): string {
  return route(rule).replace("default route('a'", "default constraint('a'")
}
const use = "then: () => use('smart')"

const rows: [wrong: string, text: string, ...problems: string[]][] = [
  ['no TypeScript', `${imports}\nconst a = ;\n`, '2:11 Expression expected'],
  ['an enum', `${imports}\nenum A { B }\n`, '2:1 TypeScript enum is not supported in strip-only mode'],
  [
    'no default export',
    `${imports}\nexport const a = 1\n`,
    '1:1 this file has no default export; it needs "export default constraint(…) or route(…)"',
  ],
  [
    'another default export',
    `${imports}\nexport default { kind: 'route' }\n`,
    '2:1 the default export of this file is made with constraint(…) or route(…), here is something else (object)',
  ],
  [
    'a module of the system',
    `import { readFileSync } from 'node:fs'\n${route(`rule('x', { ${use} })`)}`,
    '1:30 cannot import "node:fs": a file may import "@signalbox/policies", files of the workspace by relative path, and packs that signalbox.yaml lists',
  ],
  [
    'a package',
    `import _ from 'lodash'\n${route(`rule('x', { ${use} })`)}`,
    '1:15 cannot import "lodash": a file may import "@signalbox/policies", files of the workspace by relative path, and packs that signalbox.yaml lists',
  ],
  [
    "the runtime's own module",
    `import { trace } from '@signalbox/policies/runtime'\n${route(`rule('x', { ${use} })`)}`,
    '1:23 cannot import "@signalbox/policies/runtime": a file may import "@signalbox/policies", files of the workspace by relative path, and packs that signalbox.yaml lists',
  ],
  [
    'a file that is not there',
    `import { a } from './lib/tiers.ts'\n${route(`rule('x', { ${use} })`)}`,
    '1:19 cannot import "./lib/tiers.ts": there is no such file in the workspace',
  ],
  [
    'a file outside',
    `import { a } from '../../etc/passwd'\n${route(`rule('x', { ${use} })`)}`,
    '1:19 cannot import "../../etc/passwd": there is no such file in the workspace',
  ],
  [
    'an import at run time',
    route(`rule('x', { when: () => import('./b.ts') === null, ${use} })`),
    '3:27 import() is not possible: all code is put together when a version is built',
  ],
  [
    'state',
    `let count = 0\n${route(`rule('x', { when: () => count++ > 3, ${use} })`)}`,
    '1:1 "let" at the top of a file is state, which a policy does not have; use "const"',
  ],
  [
    'an async condition',
    route(`rule('x', { when: async (f) => f.request.stream, ${use} })`),
    '3:21 a policy decides at once: "when" and "then" are plain functions, not async and no generators',
  ],
  [
    'an unknown fact',
    route(`rule('x', { when: (f) => f.request.strem, ${use} })`),
    '3:28 unknown fact "request.strem"; did you mean "request.stream"?',
  ],
  [
    'metadata that is not declared',
    route(`rule('x', { when: (f) => f.request.metadata.teir === 'free', ${use} })`),
    '3:28 unknown fact "request.metadata.teir": "metadata" of signalbox.yaml does not declare "teir"; did you mean "tier"?',
  ],
  [
    'an unknown alias',
    route("rule('x', { then: () => use('smrt') })"),
    '3:21 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
  ],
  [
    'an unknown connection',
    route("rule('x', { then: () => use('opnai/gpt-5') })"),
    '3:21 unknown connection "opnai" in "opnai/gpt-5"; did you mean "openai"?',
  ],
  [
    'more tries than there may be',
    route("rule('x', { then: () => use('smart').retries(9) })"),
    '3:21 "retries" must be at most 5, not 9',
  ],
  [
    'an effect of the other kind',
    constraint(`rule('x', { ${use} })`),
    '3:21 a constraint cannot say "use": it may only narrow (deny, only, requireGuard, cap)',
  ],
  [
    'a value that an effect cannot have',
    constraint("rule('x', { then: () => deny('NO', { http: 200 }) })"),
    '3:21 "http" must be at least 400, not 200',
  ],
  [
    'an unknown guardrail',
    constraint("rule('x', { then: () => requireGuard('input', 'pii') })"),
    '3:21 unknown guardrail "pii"',
  ],
  [
    'an id that is none',
    route(`rule('No Good', { ${use} })`),
    '3:8 "No Good" is no id of a rule: small letters, digits, ".", "_" and "-"',
  ],
  [
    'two rules of one id',
    route(`rule('x', { ${use} }),\n  rule('x', { ${use} })`),
    '4:8 the policy "a" has two rules "x"',
  ],
  [
    'an unknown member',
    route(`rule('x', { wen: () => true, ${use} })`),
    '3:3 unknown member "wen"; did you mean "when"?',
  ],
  [
    'no effect',
    route("rule('x', { when: () => true })"),
    '3:3 a rule needs "then", a function that says what follows',
  ],
  ['what is no rule', route('{ id: 3 }'), '2:16 each of "rules" is made with rule(…)'],
  [
    'an option that does not exist',
    route(`rule('x', { ${use} })`).replace("route('a', {", "route('a', { onErr: 'deny',"),
    '2:16 unknown member "onErr"; did you mean "onError"?',
  ],
  [
    'an effect that fails before it is asked',
    route("rule('x', { then: () => use(undefined.model) })"),
    '3:21 "then" fails: TypeError: cannot read property \'model\' of undefined',
  ],
  [
    'a param under a name that is not written in place',
    `const name = 'p'\n${route(`rule('x', { ${use} })`)}const p = param.int(name, { default: 1 })\n`,
    '6:11 the name of a param is written in place, as a string',
  ],
  [
    'a param inside a rule',
    route("rule('x', { when: () => param.int('p', { default: 1 })() > 0, then: () => use('smart') })"),
    '3:27 a param is declared as a constant at the top of a file',
  ],
  [
    'a param outside its own limits',
    `${route(`rule('x', { ${use} })`)}const p = param.int('p', { default: 9, max: 5 })\n`,
    '5:21 the default of "p" is outside its own limits',
  ],
]

describe('a policy with', () => {
  test.each(rows)('%s', async (_, text, ...problems) => {
    expect(await problemsOf({ [file]: text })).toEqual(problems.map((problem) => `${file}:${problem}`))
  })
})

describe('a script that does not load', () => {
  test('is told of where it broke', async () => {
    const text = `${imports}\nconst table: Record<string, { a: number }> = {}\nconst first = table['x'].a\n${route(`rule('x', { ${use} })`)}`
    expect(await problemsOf({ [file]: text.replace(`\n${imports}\nexport`, '\nexport') })).toEqual([
      `${file}:3:24 the file cannot be loaded: TypeError: cannot read property 'a' of undefined`,
    ])
  })

  test('is told of by the file that loops', async () => {
    const text = `${imports}\nfor (;;) {}\n${route(`rule('x', { ${use} })`).replace(`${imports}\n`, '')}`
    expect(
      await problemsOf({
        [file]: text,
        'policies/b.policy.ts': route(`rule('x', { ${use} })`).replace("'a'", "'b'"),
      }),
    ).toEqual([
      `${file}:1:1 the file cannot be loaded: it takes more than the 100,000,000 fuel that there is for it`,
    ])
  })

  test('cannot reach what is not in the sandbox', async () => {
    const text = `${imports}\nconst home = Object(globalThis).process.env\n${route(`rule('x', { ${use} })`).replace(`${imports}\n`, '')}`
    expect(await problemsOf({ [file]: text })).toEqual([
      `${file}:2:33 the file cannot be loaded: TypeError: cannot read property 'env' of undefined`,
    ])
  })
})

test('a helper file is checked as the policy is', async () => {
  expect(
    await problemsOf({
      [file]: `import { free } from './lib/tiers.ts'\n${route("rule('x', { when: (f) => free(f), then: () => use('smart') })")}`,
      'policies/lib/tiers.ts':
        "import type { Facts } from '@signalbox/policies'\nexport const free = (f: Facts) => f.request.metadata.teir === 'free'\n",
    }),
  ).toEqual([
    'policies/lib/tiers.ts:2:35 unknown fact "request.metadata.teir": "metadata" of signalbox.yaml does not declare "teir"; did you mean "tier"?',
  ])
})

test('a type error comes once, from the type check', async () => {
  const problems = await problemsOf(
    { [file]: route(`rule('x', { when: (f) => f.request.strem, ${use} })`) },
    true,
  )
  expect(problems).toEqual([
    expect.stringMatching(
      /^policies\/a\.policy\.ts:3:38 there is no "strem" in f\.request; did you mean "stream"/,
    ),
  ])
})
