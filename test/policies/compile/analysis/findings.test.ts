import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { absentGlobals } from '../../../../policies/compile/analysis/sandbox-globals.ts'
import { createSandbox } from '../../../../policies/sandbox/index.ts'
import { printedFiles, textOf } from '../../../architecture/documented-names.ts'
import { build, workspaceFile } from '../builds.ts'

const usual = workspaceFile
const safe = `${workspaceFile}safeRoute: cheap\n`
const api =
  "import { constraint, cap, continueRoute, deny, inBucket, only, param, requireGuard, route, rule, use } from '@signalbox/policies'\n"
type Rules = readonly (readonly [when: string | null, then: string])[]

function rulesOf(rules: Rules): string {
  const lines = rules.map(([when, then], index) => {
    const condition = when === null ? '' : `when: (f) => ${when}, `
    return `  rule('r${index}', { ${condition}then: () => ${then} }),`
  })
  return `[\n${lines.join('\n')}\n]`
}
const routeOf = (rules: Rules, options = '') =>
  `${api}const limit = param.int('limit', { default: 5, min: 1, max: 10 })\nexport default route('a', { ${options}rules: ${rulesOf(rules)} })\n`
const constraintOf = (rules: Rules, options = '') =>
  `${api}export default constraint('c', { ${options}rules: ${rulesOf(rules)} })\n`

interface Given {
  readonly yaml?: string
  readonly [file: string]: string | undefined
}
/** `code line` of everything that is found. */
async function found({ yaml = safe, ...files }: Given): Promise<string[]> {
  const written = Object.entries(files).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))
  const { problems } = await build({ 'signalbox.yaml': yaml, ...Object.fromEntries(written) })
  return problems.map(({ code, line }) => `${code} ${line}`)
}
const embedded = (model: string): string =>
  `use('smart').cache('readWrite', { semantic: { model: '${model}', thresholdPpm: 950000 } })`
const routed = (rules: Rules, options?: string) => ({ 'policies/a.policy.ts': routeOf(rules, options) })
const both = (constraint: Rules, route: Rules) => ({
  'policies/a.policy.ts': routeOf(route),
  'policies/c.policy.ts': constraintOf(constraint),
})
const end: Rules[number] = [null, 'continueRoute()']
const go = "use('smart')"
/** Line of the rule with an index in what `routeOf` writes; that of `constraintOf` is one less. */
const line = (index: number) => 4 + index

const longAnswers = {
  'guardrails/g.guardrail.json':
    '{ "kind": "guardrail", "id": "g", "direction": "output", "when": { "gt": [{ "fact": "text.chars" }, 9] }, "then": { "flag": { "code": "LONG" } } }',
}
const onPrem = "only({ locality: 'on-prem' })"
const free = "f.request.metadata.tier === 'free'"
const paid = "f.request.metadata.tier === 'paid'"

const rows: [what: string, code: string, wrong: Given, right: Given][] = [
  [
    'a rule after one that asks nothing',
    `unreachable_rule ${line(1)}`,
    routed([
      [null, go],
      [free, go],
    ]),
    routed([
      [free, go],
      [null, go],
    ]),
  ],
  [
    'a rule after two that leave nothing',
    `unreachable_rule ${line(2)}`,
    routed([
      ['f.request.stream', go],
      ['!f.request.stream', go],
      [free, go],
    ]),
    routed([['f.request.stream', go], [`!f.request.stream && ${paid}`, go], [free, go], end]),
  ],
  [
    'a rule that is narrower than one before it',
    `shadowed_rule ${line(1)}`,
    routed([['f.request.bytes > 100', go], ['f.request.bytes > 200 && f.request.stream', go], end]),
    routed([['f.request.bytes > 200', go], ['f.request.bytes > 100', go], end]),
  ],
  [
    'a smaller share of the same rollout',
    `shadowed_rule ${line(1)}`,
    routed([
      ["inBucket(f, { rollout: 'x', ppm: 500 })", go],
      ["inBucket(f, { rollout: 'x', ppm: 100 })", go],
      end,
    ]),
    routed([
      ["inBucket(f, { rollout: 'x', ppm: 500 })", go],
      ["inBucket(f, { rollout: 'y', ppm: 100 })", go],
      end,
    ]),
  ],
  [
    'a prefix of what is caught before',
    `shadowed_rule ${line(1)}`,
    routed([["f.request.route.startsWith('docs')", go], ["f.request.route === 'docs/a'", go], end]),
    routed([["f.request.route.startsWith('docs/')", go], ["f.request.route === 'docs'", go], end]),
  ],
  [
    'a route after one that decides all',
    'unreachable_route 3',
    {
      ...routed([
        [free, go],
        [null, go],
      ]),
      'policies/b.policy.ts': routeOf([end]).replace("route('a'", "route('b'"),
    },
    {
      ...routed([[free, go], end]),
      'policies/b.policy.ts': routeOf([end]).replace("route('a'", "route('b'"),
    },
  ],
  [
    'a number that no call has',
    `never_true ${line(0)}`,
    routed([['f.request.bytes < 0', go], end]),
    routed([['f.request.bytes < 1', go], end]),
  ],
  [
    'a param outside its limits',
    `never_true ${line(0)}`,
    routed([['limit() > 10', go], end]),
    routed([['limit() > 9', go], end]),
  ],
  [
    'parts that exclude each other',
    `never_true ${line(0)}`,
    routed([[`${free} && ${paid}`, go], end]),
    routed([[`${free} || ${paid}`, go], end]),
  ],
  [
    'parts that leave no other case',
    `always_true ${line(0)}`,
    routed([["f.request.metadata.tier !== 'free' || f.request.metadata.tier !== 'paid'", go]]),
    routed([[`${free} || ${paid}`, go], end]),
  ],
  [
    'a comparison of a fact with itself',
    `never_true ${line(0)}`,
    routed([['f.request.bytes < f.request.bytes', go], end]),
    routed([['f.request.bytes < f.request.messages.chars', go], end]),
  ],
  ['a route that leaves some calls out', 'no_default 3', routed([[free, go]]), routed([[free, go], end])],
  [
    'code without a safe route',
    'no_safe_route 3',
    { yaml: usual, ...routed([['f.request.route.length > 3', go], end]) },
    { yaml: usual, ...routed([['f.request.route.length > 3', go], end], "onError: 'deny', ") },
  ],
  [
    'a plan of one target',
    `no_fallback ${line(0)}`,
    routed([[null, "use('openai/gpt-5.5')"]]),
    routed([[null, "use('openai/gpt-5.5').fallback('cheap')"]]),
  ],
  [
    'a plan of one target in production',
    `no_fallback ${line(0)}`,
    {
      yaml: `${safe}environments: { production: { models: { smart: [openai/gpt-5.5] } } }\n`,
      ...routed([[null, go]]),
    },
    {
      yaml: `${safe}environments: { production: { models: { cheap: [openai/gpt-5.5] } } }\n`,
      ...routed([[null, go]]),
    },
  ],
  [
    'a filter that fits nothing',
    'no_candidate_left 3',
    { 'policies/c.policy.ts': constraintOf([[free, "only({ region: 'eu' })"]]) },
    {
      yaml: safe
        .replace('provider: anthropic', 'provider: anthropic, region: eu')
        .replace('cheap: [', 'cheap: [anthropic/claude-haiku-4-5, '),
      'policies/c.policy.ts': constraintOf([[free, "only({ region: 'eu' })"]]),
    },
  ],
  [
    'a filter that leaves an alias nothing',
    'alias_emptied 3',
    { 'policies/c.policy.ts': constraintOf([[free, onPrem]]) },
    {
      yaml: safe.replace('openai/gpt-5.5]', 'local/llama3.3]'),
      'policies/c.policy.ts': constraintOf([[free, onPrem]]),
    },
  ],
  [
    'a plan that a constraint always empties',
    `plan_emptied ${line(0)}`,
    both([[free, onPrem]], [[free, go], end]),
    both([[free, onPrem]], [[free, "use('local/llama3.3').fallback('local/other')"], end]),
  ],
  [
    'a target that a constraint always takes away',
    `target_removed ${line(0)}`,
    both([[free, onPrem]], [[free, "use('cheap')"], end]),
    both([[free, onPrem]], [[paid, "use('cheap')"], end]),
  ],
  [
    'a plan that leaves the house while a constraint may keep it in',
    'data_policy_conflict 3',
    both([[free, onPrem]], [['f.request.stream', go], end]),
    both([[free, onPrem]], [[paid, go], end]),
  ],
  [
    'a guardrail that needs the whole answer of a stream',
    'stream_unsafe_guardrail 3',
    { ...longAnswers, 'policies/c.policy.ts': constraintOf([[free, "requireGuard('output', 'g')"]]) },
    {
      ...longAnswers,
      'policies/c.policy.ts': constraintOf([['!f.request.stream', "requireGuard('output', 'g')"]]),
    },
  ],
  [
    'a provider that there is not',
    'unknown_provider 4',
    { yaml: safe.replace('provider: anthropic', 'provider: anthropc') },
    { yaml: safe },
  ],
  [
    'a model that its vendor does not have',
    'unknown_target 7',
    { yaml: safe.replace('openai/gpt-5.5', 'openai/gpt-99') },
    {
      yaml: safe
        .replace('openai/gpt-5.5', 'openai/gpt-99')
        .replace('catalogue:', 'catalogue:\n  openai/gpt-99: { input: 1, output: 2 }'),
    },
  ],
  [
    'a model that its vendor does not have, in a policy',
    `unknown_target ${line(0)}`,
    routed([[null, "use('openai/gpt-99').fallback('smart')"]]),
    routed([[null, "use('openai/gpt-5.5').fallback('smart')"]]),
  ],
  [
    'an embedding model that its vendor does not have',
    `unknown_target ${line(0)}`,
    routed([[null, embedded('openai/text-embedding-9')]]),
    routed([[null, embedded('openai/text-embedding-3-small')]]),
  ],
  [
    'a clock',
    `absent_global ${line(0)}`,
    routed([['Date.now() > 5', go], end]),
    routed([['f.nowMs > 5', go], end]),
  ],
  [
    'chance',
    `absent_global ${line(0)}`,
    routed([['Math.random() < 0.5', go], end]),
    routed([['Math.max(1, f.seed) < 5', go], end]),
  ],
  [
    'the order of a language',
    `locale_function ${line(0)}`,
    routed([["f.request.route.localeCompare('a') > 0", go], end]),
    routed([["f.request.route > 'a'", go], end]),
  ],
  [
    'a fact whose name is worked out',
    `dynamic_fact ${line(0)}`,
    routed([["f.request.metadata[f.request.stream ? 'tier' : 'feature'] === 'free'", go], end]),
    routed([["f.request.tools.names[0] === 'x'", go], end]),
  ],
]

describe('check finds', () => {
  test.each(rows)('%s', async (_, code, wrong, right) => {
    expect(await found(wrong)).toContain(code)
    const kind = code.split(' ')[0] ?? ''
    expect((await found(right)).filter((each) => each.startsWith(kind))).toEqual([])
  })

  test('nothing that its code may be unable to show', async () => {
    const odd = 'f.request.route.length % 2 === 1'
    expect(
      await found(
        routed(
          [
            [odd, go],
            [`!(${odd})`, go],
          ],
          "onError: 'deny', ",
        ),
      ),
    ).toEqual([])
    expect(await found(routed([[odd, go], [odd, go], end]))).toEqual([])
  })

  test('names only that the sandbox really lacks', async () => {
    const sandbox = await createSandbox()
    const names = absentGlobals.filter((name) => name !== 'require')
    const script = `(() => () => JSON.stringify(${JSON.stringify(names)}.filter((name) => name in globalThis)))()`
    expect(JSON.parse(sandbox.load(script, { fileName: 'names.js' }).call('{}').output)).toEqual([])
    sandbox.dispose()
  })
})

describe('the workspaces that we write ourselves', () => {
  test('are clean: that of the README but for what it means', async () => {
    const { problems } = await build(Object.fromEntries(printedFiles(textOf('policies/README.md'))))
    expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'policies/free-tier.policy.ts alias_emptied',
      'policies/stay-home.policy.ts alias_emptied',
      'policies/stay-home.policy.ts data_policy_conflict',
      'policies/switch.policy.ts no_fallback',
    ])
  })
})

describe('an allowance', () => {
  const shadowed = routeOf([['f.request.bytes > 100', go], ['f.request.bytes > 200', go], end])
  const allow = (text: string) => ({
    'policies/a.policy.ts': shadowed.replace("  rule('r1'", `${text}  rule('r1'`),
  })

  test('takes one finding back, at its place and with its reason', async () => {
    expect(await found(allow('  // signalbox-allow shadowed_rule: kept until May\n'))).toEqual([])
  })

  test('of something else, of nothing, or without a reason is told of', async () => {
    expect(await found(allow('  // signalbox-allow shadowed_rul: kept until May\n'))).toEqual([
      `unknown_code ${line(1)}`,
      `shadowed_rule ${line(2)}`,
    ])
    expect(await found(allow('  // signalbox-allow shadowed_rule:\n'))).toContain(`allow ${line(1)}`)
    expect(await found(allow('  // signalbox-allow no_fallback: because\n'))).toContain(
      `unused_allow ${line(1)}`,
    )
  })

  test('stands in JSON as a member of the rule or the policy', async () => {
    const policy = (allowed: string, whole = '') =>
      `{ "kind": "constraint", "id": "c", ${whole}"rules": [\n { "id": "x", ${allowed}"then": { "only": { "where": { "locality": "on-prem" } } } } ] }`
    const list = '"allow": [{ "code": "alias_emptied", "reason": "or not at all" }], '
    expect(await found({ 'policies/c.policy.json': policy('') })).toEqual(['alias_emptied 2'])
    expect(await found({ 'policies/c.policy.json': policy(list) })).toEqual([])
    expect(await found({ 'policies/c.policy.json': policy('', list) })).toEqual([])
    expect(
      await found({ 'policies/c.policy.json': policy('"allow": [{ "code": "alias_emptied" }], ') }),
    ).toContain('schema 2')
  })

  test('stands in signalbox.yaml as a comment', async () => {
    const yaml = safe.replace('  smart:', '  # signalbox-allow unknown_target: not listed yet\n  smart:')
    expect(await found({ yaml: yaml.replace('gpt-5.5', 'gpt-99') })).toEqual([])
  })

  test('takes back no error', async () => {
    const yaml = safe.replace('  anthropic:', '  # signalbox-allow unknown_provider: mine\n  anthropic:')
    expect(await found({ yaml: yaml.replace('provider: anthropic', 'provider: mine') })).toContain(
      'unknown_provider 5',
    )
  })
})

describe('every problem', () => {
  test('has what stands at its place and a link to what explains it, which is there', async () => {
    const { problems } = await build({
      'policies/a.policy.ts': routeOf([
        [null, go],
        [free, go],
      ]),
    })
    expect(problems).toMatchObject([
      {
        code: 'unreachable_rule',
        link: 'policies/README.md#unreachable_rule',
        text: expect.stringMatching(/^'r1', \{/),
      },
    ])
    const readme = readFileSync(new URL('../../../../policies/README.md', import.meta.url), 'utf8')
    const { linkOf, problemCodes } = await import('../../../../policies/compile/analysis/problem-codes.ts')
    const anchors = new Set([
      ...[...readme.matchAll(/<a id="(\w+)"><\/a>/g)].map((match) => match[1]),
      ...[...readme.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(' ', '-'),
      ),
    ])
    const missing = [
      'policies/a.policy.ts',
      'policies/a.policy.json',
      'prompts/a.prompt.md',
      'tests/a.test.ts',
    ].flatMap((file) =>
      problemCodes.filter((code) => !anchors.has(linkOf({ code, file }).split('#')[1] ?? '')),
    )
    expect(missing).toEqual([])
  })

  test('shows no line that may hold a secret', async () => {
    const yaml = safe.replace('env:OPENAI_API_KEY', 'sk-1')
    const { problems } = await build({ 'signalbox.yaml': yaml })
    expect(problems[0]?.code).toBe('schema')
    expect(problems[0]).not.toHaveProperty('text')
  })
})
