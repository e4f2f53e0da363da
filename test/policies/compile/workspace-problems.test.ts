import { describe, expect, test } from 'vitest'
import { problemsOf, workspaceFile } from './builds.ts'

const file = 'signalbox.yaml'
const withLines = (...lines: string[]) => ({ [file]: `${workspaceFile}${lines.join('\n')}\n` })
/** Lines of the usual file; what a test adds begins after them. */
const end = workspaceFile.trimEnd().split('\n').length
const at = (line: number, column: number) => `${file}:${end + line}:${column}`

describe('signalbox.yaml', () => {
  const rows: [wrong: string, text: string, ...problems: string[]][] = [
    [
      'that is no YAML',
      'name: acme\nmodels: [\n',
      '3:1 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['with a member twice', 'name: acme\nname: other\n', '2:1 Map keys must be unique'],
    ['without a name', 'models: {}\n', '1:1 needs the member "name"'],
    [
      'with a name that is none',
      'name: "A b"\n',
      '1:7 "name" "A b" is not allowed here (Name: lower-case letters, digits, `.`, `_`, `-`; at most 63, ^[a-z0-9][a-z0-9._-]{0,62}$)',
    ],
    [
      'with an unknown member',
      'name: acme\nconections: {}\n',
      '2:1 unknown member "conections"; did you mean "connections"?',
    ],
    [
      'with an unknown member of a connection',
      'name: acme\nconnections:\n  x: { provider: openai, url: http://x.test }\n',
      '3:26 unknown member "url"',
    ],
    [
      'with a wrong type',
      'name: acme\nmodels: { a: openai/gpt-5.5 }\n',
      '2:14 "a" must be array, not a string',
    ],
    [
      'with a target that is none',
      'name: acme\nmodels: { a: [gpt-5.5] }\n',
      '2:15 "a[0]" "gpt-5.5" is not allowed here (Target: `connection/model`, ^[^/\\s]+/\\S+$)',
    ],
    [
      'with an unknown connection',
      'name: acme\nmodels: { a: [opnai/gpt-5.5] }\n',
      '2:15 unknown connection "opnai" in "opnai/gpt-5.5"; did you mean "openai"?',
    ],
    [
      'with a safe route that does not exist',
      'name: acme\nmodels: { smart: [openai/gpt-5.5] }\nsafeRoute: smrt\n',
      '3:12 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
    ],
    [
      'with drills of a route that is none, too seldom, and with a pattern that is none',
      'name: acme\nmodels: { smart: [openai/gpt-5.5] }\nenvironments:\n  production:\n    drills:\n' +
        '      smrt: { every: 24h }\n      smart: { every: 9w }\n' +
        '      openai/gpt-5.5: { every: 1d, golden: [{ name: a, messages: [{ role: user, content: x }], expect: { matches: "(" } }] }\n',
      '6:7 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
      '7:23 a route is drilled every 30d at least',
      '8:45 golden prompt a: error parsing regexp: missing closing ): `(`',
    ],
    [
      'with a credential in place',
      'name: acme\nconnections: { x: { provider: openai, credential: sk-1 } }\n',
      '2:51 "credential" "sk-1" is not allowed here (Credential: `env:NAME`, `file:PATH` or `secret:NAME`, ^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|secret:[a-z0-9][a-z0-9._-]*)$)',
    ],
  ]
  test.each(rows)('%s', async (_, text, ...problems) => {
    expect(await problemsOf({ [file]: text })).toEqual(problems.map((problem) => `${file}:${problem}`))
  })

  test('that is missing', async () => {
    const { buildVersion, loadCatalogue } = await import('@signalbox/policies')
    const { problems } = await buildVersion(new Map([['policies/a.policy.json', '{']]), {
      catalogue: loadCatalogue(),
    })
    expect(problems).toMatchObject([
      { file: 'policies/a.policy.json', line: 1, column: 2, code: 'syntax' },
      { file, line: 1, column: 1, message: 'there is no signalbox.yaml; it needs at least a "name"' },
    ])
  })

  const metadata: [wrong: string, schema: string, column: number, problem: string][] = [
    ['an unknown keyword', '{ typ: string }', 10, 'unknown member "typ"; did you mean "type"?'],
    ['no scalar', '{ type: object }', 10, '"type" must be one of string, number, integer, boolean'],
    [
      'a list of what is no scalar',
      '{ enum: [[1]] }',
      10,
      '"enum" must be a list of strings, numbers or booleans',
    ],
    [
      'a pattern',
      '{ pattern: "(a+)+$" }',
      10,
      'regular expressions are not supported here: they may take time without end',
    ],
    [
      'a schema that is none',
      '{ type: string, minLength: long }',
      3,
      'not a valid JSON Schema: schema is invalid: data/minLength must be integer',
    ],
  ]
  test.each(metadata)('with metadata of %s', async (_, schema, column, problem) => {
    const text = `name: acme\nmetadata:\n  team: ${schema}\n`
    expect(await problemsOf({ [file]: text })).toEqual([
      `${file}:3:${column === 3 ? 3 : column + 1} ${problem}`,
    ])
  })

  test('with metadata under a name of the language itself', async () => {
    expect(await problemsOf({ [file]: 'name: acme\nmetadata: { constructor: { type: string } }\n' })).toEqual(
      [`${file}:2:13 "constructor" is a name of JavaScript's own and cannot be used`],
    )
  })

  test('with overrides of what there is not', async () => {
    const lines = [
      'environments:',
      '  production:',
      '    models: { smrt: [openai/gpt-5.5], smart: [opnai/x] }',
      '    connections: { opena: { region: eu }, openai: { baseUrl: "http://eu.test/v1" } }',
      '    params: { limti: 5, limit: 500 }',
    ]
    const policy = JSON.stringify({
      kind: 'constraint',
      id: 'a',
      params: { limit: { type: 'int', default: 5, max: 10 } },
      rules: [{ id: 'x', when: { gt: [{ param: 'limit' }, 3] }, then: { cap: { maxOutputTokens: 3 } } }],
    })
    expect(await problemsOf({ ...withLines(...lines), 'policies/a.policy.json': policy })).toEqual([
      `${at(3, 15)} "smrt" overrides no alias of "models"; did you mean "smart"?`,
      `${at(3, 47)} unknown connection "opnai" in "opnai/x"; did you mean "openai"?`,
      `${at(4, 20)} "opena" overrides no connection; did you mean "openai"?`,
      `${at(5, 15)} unknown param "limti"; did you mean "limit"?`,
      `${at(5, 32)} 500 is no value of the param "limit" (int)`,
    ])
  })

  test('with targets whose price nobody knows', async () => {
    const text = workspaceFile.replace(/catalogue:[\s\S]*$/, '')
    expect(await problemsOf({ [file]: text })).toEqual([
      `${file}:8:30 warning: the price of "local/llama3.3" is not known; give it under "catalogue"`,
    ])
  })

  test('with more targets than facts can hold', async () => {
    const models = Array.from({ length: 5 }, (_, alias) => {
      const targets = Array.from({ length: 14 }, (_, index) => `openai/gpt-5.5-${alias}-${index}`)
      return `  a${alias}: [${targets.join(', ')}]`
    })
    const problems = await problemsOf({ [file]: `name: acme\nmodels:\n${models.join('\n')}\n` })
    expect(problems.filter((problem) => !problem.includes('warning'))).toEqual([
      `${file}:2:1 aliases and policies name 70 targets, at most 64 are possible`,
    ])
  })
})

describe('sources', () => {
  test('outside the workspace are refused', async () => {
    expect(await problemsOf({ '../x.policy.ts': '', 'a//b': '', '/etc/passwd': '' })).toEqual([
      '../x.policy.ts:1:1 "../x.policy.ts" is no path inside a workspace',
      '/etc/passwd:1:1 "/etc/passwd" is no path inside a workspace',
      'a//b:1:1 "a//b" is no path inside a workspace',
    ])
  })

  test('of more than four megabytes are refused', async () => {
    expect(await problemsOf({ 'fixtures/big.facts.json': 'x'.repeat(4 * 1024 * 1024) })).toEqual([
      expect.stringMatching(
        /^signalbox\.yaml:1:1 the workspace has 2 files of \d{7} bytes together; at most 2048 files and 4194304 bytes are possible$/,
      ),
    ])
  })

  test('that make too large a script are refused', async () => {
    const text = `import { route, rule, use } from '@signalbox/policies'
const table = ${JSON.stringify(Array.from({ length: 40_000 }, (_, index) => `entry-${index}`))}
export default route('a', { rules: [rule('x', { when: (f) => table.includes(f.request.route), then: () => use('smart') })] })
`
    expect(await problemsOf({ 'policies/a.policy.ts': text })).toEqual([
      expect.stringMatching(
        /^signalbox\.yaml:1:1 all policies together are \d+ bytes of script, at most 524288 are allowed$/,
      ),
    ])
  })
})

describe('guardrails', () => {
  const guardrail = 'guardrails/g.guardrail.json'
  const text = (when: string, then = '{ "block": { "code": "PII" } }') =>
    `{ "kind": "guardrail", "id": "g", "direction": "input",\n  "when": ${when},\n  "then": ${then} }`
  const rows: [wrong: string, text: string, problem: string][] = [
    [
      'an unknown finding',
      text('{ "gt": [{ "fact": "findigs.pii.hits", "or": 0 }, 0] }'),
      '2:30 unknown fact "findigs.pii.hits"; did you mean "findings.pii.hits"?',
    ],
    [
      'a finding that may be missing',
      text('{ "gt": [{ "fact": "findings.pii.hits" }, 0] }'),
      '2:30 "findings.pii.hits" may be missing: give a default with "or", or test it with "has" first',
    ],
    ['a bucket', text('{ "bucket": { "rollout": "r", "ppm": 5 } }'), '2:13 unknown operator "bucket"'],
    [
      'an unknown action',
      text('true', '{ "blok": {} }'),
      '3:11 a guardrail says { "block": … }, { "refuse": … }, { "redact": … }, { "flag": … }',
    ],
    ['an action without a code', text('true', '{ "block": {} }'), '3:22 "block" needs the member "code"'],
    [
      'an unknown direction',
      text('true').replace('"input"', '"inout"'),
      '1:48 "direction" must be one of input, output; did you mean "input"?',
    ],
  ]
  test.each(rows)('with %s', async (_, json, problem) => {
    expect(await problemsOf({ [guardrail]: json })).toEqual([`${guardrail}:${problem}`])
  })

  test('in TypeScript are checked alike', async () => {
    const ts = 'guardrails/g.guardrail.ts'
    const source = `import { block, guardrail } from '@signalbox/policies'
export default guardrail('g', { direction: 'input', when: (f) => f.findigs.pii.hits > 0, then: () => block('no way') })
`
    expect(await problemsOf({ [ts]: source })).toEqual([
      `${ts}:2:66 unknown fact "findigs"; did you mean "findings"?`,
      `${ts}:2:96 "code" "no way" is not allowed here (a code: a letter, then letters, digits or "_", ^[A-Za-z][A-Za-z0-9_]{0,63}$)`,
    ])
  })

  test('that are demanded in the wrong direction are told of', async () => {
    const policy = JSON.stringify({
      kind: 'constraint',
      id: 'a',
      rules: [{ id: 'x', then: { requireGuard: { id: 'g', direction: 'output' } } }],
    })
    expect(await problemsOf({ [guardrail]: text('true'), 'policies/a.policy.json': policy })).toEqual([
      'policies/a.policy.json:1:79 guardrail "g" checks the input, not the output',
    ])
  })

  test('stand in their own folder', async () => {
    const source =
      "import { guardrail, flag } from '@signalbox/policies'\nexport default guardrail('g', { direction: 'input', when: () => true, then: () => flag('A') })\n"
    expect(await problemsOf({ 'policies/g.policy.ts': source })).toEqual([
      'policies/g.policy.ts:2:1 the default export of this file is made with constraint(…) or route(…), here is a guardrail',
    ])
  })
})

describe('prompts', () => {
  const prompt = 'prompts/p.prompt.md'
  const rows: [wrong: string, text: string, ...problems: string[]][] = [
    [
      'without front matter',
      'Hello\n',
      '1:1 a prompt starts with front matter between two lines of "---", with at least a "name"',
    ],
    [
      'without an end of the front matter',
      '---\nname: p\nHello\n',
      '1:1 a prompt starts with front matter between two lines of "---", with at least a "name"',
    ],
    [
      'with an unknown member',
      '---\nname: p\nmodl: smart\n---\nHello\n',
      '3:1 unknown member "modl"; did you mean "model"?',
    ],
    [
      'with an unknown model',
      '---\nname: p\nmodel: smrt\n---\nHello\n',
      '3:8 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
    ],
    [
      'with a variable that is not declared',
      '---\nname: p\nvariables: { text: { type: string } }\n---\nHello {{ txt }}, {{text}}\n',
      '5:7 unknown variable "txt"; did you mean "text"?',
    ],
    [
      'with a variable that is not used',
      '---\nname: p\nvariables:\n  text: { type: string }\n---\nHello\n',
      '4:3 warning: the variable "text" is declared but not used',
    ],
    [
      'with a variable of no type',
      '---\nname: p\nvariables:\n  text: { type: txt }\n---\nHello {{text}}\n',
      '4:11 "type" must be one of string, number, integer, boolean',
    ],
  ]
  test.each(rows)('%s', async (_, text, ...problems) => {
    expect(await problemsOf({ [prompt]: text })).toEqual(problems.map((problem) => `${prompt}:${problem}`))
  })

  test('of one name', async () => {
    const text = '---\nname: p\n---\nHello\n'
    expect(await problemsOf({ [prompt]: text, 'prompts/q.prompt.md': text })).toEqual([
      'prompts/q.prompt.md:2:7 the prompt "p" stands in prompts/p.prompt.md too',
    ])
  })
})

test('a rule that was renamed is found in the cases that still expect it', async () => {
  const policy = (id: string, rule: string): string =>
    JSON.stringify({ kind: 'route', id, rules: [{ id: rule, then: { use: { model: 'smart' } } }] })
  const cases = `policy: a
cases:
  - name: one
    expect: { rule: polish }
  - name: two
    expect: { rule: polsh }
  - { name: three, bundle: all, expect: { rule: other } }
`
  const files = {
    'policies/a.policy.json': policy('a', 'polish'),
    'policies/b.policy.json': policy('b', 'other'),
  }
  const found = await problemsOf({ ...files, 'tests/a.cases.yaml': cases })
  expect(found.filter((each) => each.startsWith('tests/'))).toEqual([
    'tests/a.cases.yaml:6:21 warning: the policy "a" has no rule "polsh"; did you mean "polish"?',
  ])
})
