import { buildVersion, loadCatalogue } from '@signalbox/policies'
import type { Problem } from '@signalbox/sdk/contract'
import { describe, expect, test } from 'vitest'

/*
 * What a person reads who has made one mistake: the place, what stands there, what was expected, and the section that
 * explains it. Messages of each check by itself have tables of their own beside this one.
 */

const yaml = `name: acme
connections:
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem }
models:
  smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]
  cheap: [openai/gpt-5.4-mini]
metadata:
  tier: { enum: [free, paid] }
catalogue:
  local/llama3.3: { input: 0, output: 0, contextTokens: 128000 }
`
const prompt =
  '---\nname: hello\nvariables:\n  count: { type: integer, minimum: 1 }\n---\nHello {{ count }}.\n'
const guardrail = JSON.stringify({
  kind: 'guardrail',
  id: 'keys',
  direction: 'input',
  when: { gt: [{ fact: 'findings.secrets.hits', or: 0 }, 0] },
  then: { block: { code: 'KEY' } },
})
const catalogue = loadCatalogue()

/** A mistake, and how its problem reads: `line:column message | what stands there → section`. */
type Row = readonly [source: string, ...reads: string[]]

async function problemsOf(files: Record<string, string>): Promise<readonly Problem[]> {
  const whole = {
    'signalbox.yaml': yaml,
    'prompts/hello.prompt.md': prompt,
    'guardrails/keys.guardrail.json': guardrail,
    ...files,
  }
  return (await buildVersion(new Map(Object.entries(whole)), { catalogue })).problems
}

const read = ({ line, column, message, text = '', link = '' }: Problem): string => {
  const [first = ''] = message.split('\n')
  return `${line}:${column} ${first} | ${text.slice(0, 24).trimEnd()} → ${link.split('#')[1]}`
}

/** Every row in a file of its own, all built at once. */
async function expectRows(rows: readonly Row[], pathOf: (index: number) => string): Promise<void> {
  const files = rows.map(([source], index) => [pathOf(index), source] as const)
  const problems = await problemsOf(Object.fromEntries(files))
  const found = files.map(([path]) =>
    problems.filter(({ file, severity }) => file === path && severity === 'error').map(read),
  )
  expect(found).toEqual(rows.map(([, ...reads]) => reads))
}

const builders =
  'cap, constraint, deny, only, param, pipeline, requireGuard, route, rule, signal, step, use, weighted'
const imports = `import { ${builders} } from '@signalbox/policies'\n`
const typescript: readonly Row[] = [
  [
    "export default route('a1', { rules: [rule('a', { when: (f) => f.request.metdata.tier === 'free', then: () => use('smart') })] })",
    '2:73 there is no "metdata" in f.request; did you mean "metadata"? | metdata.tier === \'free\', → facts',
  ],
  [
    "export default route('a2', { rules: [rule('a', { when: (f) => f.request.metadata.teir === 'free', then: () => use('smart') })] })",
    '2:82 there is no "teir" in f.request.metadata ("metadata" of signalbox.yaml declares tier); did you mean "tier"? | teir === \'free\', then: ( → facts',
  ],
  [
    "export default route('a3', { rules: [rule('a', { when: (f) => f.request.metadata.tier === 'fre', then: () => use('smart') })] })",
    '2:63 This comparison appears to be unintentional because the types \'"free" | "paid" | undefined\' and \'"fre"\' have no overlap. | f.request.metadata.tier → facts',
  ],
  [
    "export default route('a4', { rules: [rule('a', { then: () => use('smrt') })] })",
    '2:66 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"? | \'smrt\') })] }) → the-workspace',
  ],
  [
    "export default route('a5', { rules: [rule('a', { then: () => deny('bad code', { http: 200 }) })] })",
    '2:56 "code" "bad code" is not allowed here (a code: a letter, then letters, digits or "_", ^[A-Za-z][A-Za-z0-9_]{0,63}$) | () => deny(\'bad code\', { → in-typescript',
    '2:56 "http" must be at least 400, not 200 | () => deny(\'bad code\', { → in-typescript',
  ],
  [
    "export default constraint('a6', { rules: [rule('a', { then: () => use('smart') })] })",
    "2:43 Type 'Rule<UseEffect, Facts>' is not assignable to type 'Rule<ConstraintEffect, Facts>'. | rule('a', { then: () => → in-typescript",
    '2:61 a constraint cannot say "use": it may only narrow (deny, only, requireGuard, cap) | () => use(\'smart\') })] } → constraint-and-route',
  ],
  [
    "export default constraint('a7', { rules: [rule('a', { then: () => only({ locality: 'onprem' }) })] })",
    '2:61 "locality" must be one of cloud, on-prem; did you mean "on-prem"? | () => only({ locality: \' → in-typescript',
    '2:74 Type \'"onprem"\' is not assignable to type \'"cloud" | "on-prem" | undefined\'. Did you mean \'"on-prem"\'? | locality: \'onprem\' }) }) → in-typescript',
  ],
  [
    "export default constraint('a8', { rules: [rule('a', { then: () => requireGuard('input', 'key') })] })",
    '2:89 unknown guardrail "key"; did you mean "keys"? | \'key\') })] }) → guardrails',
  ],
  [
    "export default route('a9', { rules: [rule('a', { then: () => use('smart').prompt('helo', {}) })] })",
    '2:82 unknown prompt "helo"; did you mean "hello"? | \'helo\', {}) })] }) → prompts',
  ],
  [
    "export default route('b1', { rules: [rule('a', { then: () => use('smart').prompt('hello', { count: 'two' }) })] })",
    '2:100 the variable "count" of the prompt "hello" is not of its type; it is declared as {"type":"integer","minimum":1} | \'two\' }) })] }) → prompts',
  ],
  [
    "let n = 0\nexport default route('b2', { rules: [rule('a', { when: () => n++ > 3, then: () => use('smart') })] })",
    '2:1 "let" at the top of a file is state, which a policy does not have; use "const" | let n = 0 → in-typescript',
  ],
  [
    "export default route('b3', { rules: [rule('a', { when: (f) => Date.now() > f.nowMs, then: () => use('smart') })] })",
    '2:63 Date does not exist in the sandbox: use f.nowMs, the time of the call in milliseconds | Date.now() > f.nowMs, th → absent_global',
  ],
  [
    "export default route('b4', { rules: [rule('a', { when: async (f) => f.request.stream, then: () => use('smart') })] })",
    "2:50 Type '(f: Facts) => Promise<boolean>' is not assignable to type '(f: Facts) => boolean'. | when: async (f) => f.req → in-typescript",
    '2:56 a policy decides at once: "when" and "then" are plain functions, not async and no generators | async (f) => f.request.s → in-typescript',
  ],
  [
    "export default route('b5', { rules: [rule('a', { then: () => use('smart') }), rule('a', { then: () => use('cheap') })] })",
    '2:84 the policy "b5" has two rules "a" | \'a\', { then: () => use(\' → in-typescript',
  ],
  [
    "export default route('b6', { rules: [rule('a', { then: () => weighted({ weight: -1, part: 'smart' }) })] })",
    '2:56 "weights[0]" must be at least 0, not -1 | () => weighted({ weight: → in-typescript',
  ],
  [
    "export default route('b7', { rules: [rule('a', { when: (f) => f.budget.tightest.usedPpm > 5, then: () => use('smart') })] })",
    '2:63 \'f.budget.tightest\' is possibly \'undefined\': read on with "?." and say with "??" what stands in for it | f.budget.tightest.usedPp → facts',
  ],
  [
    "export default route('b8', { rule: [] })",
    '2:16 unknown member "rule"; did you mean "rules"? | route(\'b8\', { rule: [] } → in-typescript',
    "2:16 a policy needs at least one rule | route('b8', { rule: [] } → in-typescript",
    "2:30 Object literal may only specify known properties, but 'rule' does not exist in type 'RouteOptions'. Did you mean to write 'rules'? | rule: [] }) → in-typescript",
  ],
  [
    "const p = param.int('x', { default: 5, min: 10 })\nexport default route('b9', { rules: [rule('a', { when: (f) => f.request.bytes > p(), then: () => use('smart') })] })",
    '2:21 the default of "x" is outside its own limits | \'x\', { default: 5, min: → params',
  ],
  [
    "export default route('c1', { onError: 'safeRoute', rules: [rule('A b', { when: (f) => f.request.stream, then: () => use('smart') })] })",
    '2:16 "onError" is "safeRoute", but neither the policy nor signalbox.yaml has a "safeRoute" | route(\'c1\', { onError: \' → when-something-fails',
    '2:65 "A b" is no id of a rule: small letters, digits, ".", "_" and "-" | \'A b\', { when: (f) => f. → in-typescript',
  ],
  [
    "export default route('c2', { rules: [rule('a', { then: () => pipeline(step('d', use('cheap')), step('p', use('smart'), { onlyIf: signal('draf.chars').lt(5) })) })] })",
    '2:56 unknown signal "draf.chars": it is STEP.SIGNAL, of an earlier step ("d"), one of finish, chars, inputTokens, outputTokens, confidencePpm, costNanoUsd, durationMs | () => pipeline(step(\'d\', → in-typescript',
  ],
  [
    "export default route('c3', { rules: [rule('a', { then: () => use('smart').mirror('cheap').obligation('notify', {}) })] })",
    '2:75 "mirror" is not carried out by the gateway of this release: no copy of the call would be sent. Take it out, or keep it for `signalbox test` only, where cases can expect it; there is "ordered", "weighted", "lowestCost", "lowestLatency", "leastBusy", "sticky", "hedged", "pipeline", "onErrorClass", "cache", "fidelity" | mirror(\'cheap\').obligati → decision',
    '2:91 "obligations" is not carried out by the gateway of this release: nothing of it would be done. Take it out, or keep it for `signalbox test` only, where cases can expect it; there is "ordered", "weighted", "lowestCost", "lowestLatency", "leastBusy", "sticky", "hedged", "pipeline", "onErrorClass", "cache", "fidelity" | obligation(\'notify\', {}) → decision',
  ],
]
const json: readonly Row[] = [
  [
    '{"kind":"route","id":"d1","rules":[{"id":"a","when":{"eq":[{"fact":"request.metadata.teir"},"free"]},"then":{"use":{"model":"smart"}}}]}',
    '1:68 unknown fact "request.metadata.teir": "metadata" of signalbox.yaml does not declare "teir"; did you mean "tier"? | "request.metadata.teir"} → facts',
  ],
  [
    '{"kind":"route","id":"d2","rules":[{"id":"a","when":{"eq":[{"fact":"request.metadata.tier"},"free"]},"then":{"use":{"model":"smart"}}}]}',
    '1:68 "request.metadata.tier" may be missing: give a default with "or", or test it with "has" first | "request.metadata.tier"} → facts',
  ],
  [
    '{"kind":"route","id":"d3","rules":[{"id":"a","when":{"gt":[{"fact":"request.bytes"},"5"]},"then":{"use":{"model":"smart"}}}]}',
    '1:85 type mismatch: "gt" needs a number, "5" is string | "5"]},"then":{"use":{"mo → in-json',
  ],
  [
    '{"kind":"route","id":"d4","rules":[{"id":"a","when":{"equals":[1,2]},"then":{"use":{"model":"smart"}}}]}',
    '1:54 unknown operator "equals"; did you mean "eq"? | "equals":[1,2]},"then":{ → in-json',
  ],
  [
    '{"kind":"route","id":"d5","rules":[{"id":"a","then":{"usee":{"model":"smart"}}}]}',
    '1:54 unknown effect "usee"; did you mean "use"? | "usee":{"model":"smart"} → in-json',
  ],
  [
    '{"kind":"route","id":"d6","rules":[{"id":"a","then":{"use":{"model":"smart","fallbak":["cheap"]}}}]}',
    '1:77 unknown member "fallbak"; did you mean "fallback"? | "fallbak":["cheap"]}}}]} → in-json',
  ],
  [
    '{"kind":"rout","id":"d7","rules":[]}',
    '1:9 "kind" must be one of constraint, route; did you mean "route"? | "rout","id":"d7","rules" → in-json',
    '1:34 "rules" needs at least 1 entry | []} → in-json',
  ],
  [
    '{"kind":"constraint","id":"d8","onError":"safeRoute","rules":[{"id":"a","then":{"cap":{"maxOutputTokens":"10"}}}]}',
    '1:42 a constraint has no safe route; "onError" is "deny" or "continue" | "safeRoute","rules":[{"i → when-something-fails',
    '1:106 "maxOutputTokens" must be integer, not a string | "10"}}}]} → in-json',
  ],
  [
    '{"kind":"route","id":"d9","rules":[{"id":"a","then":{"plan":{"strategy":"wieghted","of":[]}}}]}',
    '1:73 "strategy" must be one of ordered, weighted, lowestCost, lowestLatency, leastBusy, sticky, hedged; did you mean "weighted"? | "wieghted","of":[]}}}]} → in-json',
    '1:89 "of" needs at least 1 entry | []}}}]} → in-json',
  ],
  [
    '{"kind":"route","id":"e1","rules":[{"id":"a","when":{"in":[{"fact":"request.model.tier"},["big"]]},"then":{"use":{"model":"smart"}}}]}',
    '1:91 "big" is no value of "request.model.tier": it is one of small, mid, large, unknown | "big"]]},"then":{"use":{ → in-json',
  ],
  [
    '{"kind":"route","id":"e2","params":{"z":{"type":"number","default":1}},"rules":[{"id":"a","when":{"gt":[{"fact":"request.bytes"},{"param":"y"}]},"then":{"use":{"model":"smart"}}}]}',
    '1:49 "type" must be one of int, ppm, bool, string, stringList | "number","default":1}}," → params',
    '1:139 unknown param "y" | "y"}]},"then":{"use":{"m → params',
  ],
  [
    '{"kind":"route","id":"e3","rules":[{"id":"a","then":{"use":{"model":"opnai/gpt-5.5"}}}]}',
    '1:69 unknown connection "opnai" in "opnai/gpt-5.5"; did you mean "openai"? | "opnai/gpt-5.5"}}}]} → the-workspace',
  ],
  [
    '{"kind":"route","id":"e4","match":{"operation":"chatt"},"rules":[{"id":"a","then":{"use":{"model":"smart"}}}]}',
    '1:48 "operation" must be one of chat, embeddings, completion, rerank, image, audio, moderation, countTokens, files, batches, realtime, passthrough; did you mean "chat"? | "chatt"},"rules":[{"id": → in-json',
  ],
  [
    '{"kind":"route","id":"e5","rules":[{"id":"a","then":{"use":{"model":"smart","timeouts":{"totalMs":-1},"mirror":"cheap"}}}]}',
    '1:99 "totalMs" must be at least 1, not -1 | -1},"mirror":"cheap"}}}] → in-json',
  ],
]
const guardrails: readonly Row[] = [
  [
    '{"kind":"guardrail","id":"f1","direction":"inpt","when":{"gt":[{"fact":"text.chars"},1]},"then":{"block":{"code":"X"}}}',
    '1:43 "direction" must be one of input, output; did you mean "input"? | "inpt","when":{"gt":[{"f → guardrails',
  ],
  [
    '{"kind":"guardrail","id":"f2","direction":"input","when":{"gt":[{"fact":"findings.pii.hit","or":0},1]},"then":{"block":{"code":"X"}}}',
    '1:73 unknown fact "findings.pii.hit"; did you mean "findings.pii.hits"? | "findings.pii.hit","or": → facts',
  ],
  [
    '{"kind":"guardrail","id":"f3","direction":"input","scan":{"a":{"regex":{"patterns":{"x":"(?<=a)b"}}}},"then":{"redact":{"code":"X"}}}',
    '1:59 scan "a": pattern "x" is none of RE2, which has no look-around and no back references: error parsing regexp: invalid named capture: `(?<=a)b` | "a":{"regex":{"patterns" → guardrails',
  ],
  [
    '{"kind":"guardrail","id":"f4","direction":"input","when":{"gt":[{"fact":"text.chars"},1]},"then":{"blok":{"code":"X"}}}',
    '1:98 a guardrail says { "block": … }, { "refuse": … }, { "redact": … }, { "flag": … } | {"blok":{"code":"X"}}} → guardrails',
  ],
  [
    '{"kind":"guardrail","id":"f5","direction":"input","scan":{"a":{"judge":{"model":"smrt","criteria":"x"}}},"then":{"block":{"code":"X"}}}',
    '1:81 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"? | "smrt","criteria":"x"}}} → the-workspace',
  ],
]

describe('a mistake reads as', () => {
  test('TypeScript policies', () =>
    expectRows(
      typescript.map(([source, ...reads]) => [imports + source, ...reads] as const),
      (index) => `policies/p${index}.policy.ts`,
    ))
  test('JSON policies', () => expectRows(json, (index) => `policies/p${index}.policy.json`))
  test('guardrails', () => expectRows(guardrails, (index) => `guardrails/g${index}.guardrail.json`))
  test('files that cannot be read', async () => {
    const problems = await problemsOf({
      'policies/comma.policy.json': '{ "kind": "route", "id": "x", "rules": [ { "id": "a" }, ] }',
      'policies/comma2.policy.json': '{ "kind": "route", }',
      'prompts/type.prompt.md': '---\nname: type\nvariables:\n  who: { type: strng }\n---\nHello {{ who }}',
      'prompts/open.prompt.md':
        '---\nname: open\nvariables:\n  who: { type: string }\n---\nHello {{ whom }} {{#who}}',
      'prompts/none.prompt.md': 'Hello',
    })
    expect(problems.map((each) => `${each.file}:${read(each)}`)).toEqual([
      'policies/comma.policy.json:1:55 expected a value after this comma: the last one of a list has none | , ] } → in-json',
      'policies/comma2.policy.json:1:18 expected a member after this comma: the last one of an object has none | , } → in-json',
      'prompts/none.prompt.md:1:1 a prompt starts with front matter between two lines of "---", with at least a "name" | Hello → prompts',
      'prompts/open.prompt.md:6:7 unknown variable "whom"; did you mean "who"? | {{ whom }} {{#who}} → prompts',
      'prompts/open.prompt.md:6:18 "{{#who}}" has no end: write "{{/who}}" after it | {{#who}} → prompts',
      'prompts/open.prompt.md:6:18 "who" always has a value: a section is for a boolean, a list, or a variable with "required: false" | {{#who}} → prompts',
      'prompts/type.prompt.md:4:10 "type" must be one of string, number, integer, boolean; did you mean "string"? | type: strng } → prompts',
    ])
  })

  test('signalbox.yaml', async () => {
    const problems = await problemsOf({
      'signalbox.yaml': `${yaml}packs: [acme@1]\nenvironments:\n  staging: { coverage: 101 }\nteams:\n  a: { limits: { rpmm: 5 } }\n`,
    })
    expect(problems.map(read)).toEqual([
      expect.stringMatching(
        /^11:9 "packs\[0\]" "acme@1" is not allowed here \(Name of a package and its exact version/,
      ),
      '13:24 "coverage" must be at most 100, not 101 | 101 } → the-workspace',
      '15:18 unknown member "rpmm"; did you mean "rpm"? | rpmm: 5 } } → the-workspace',
    ])
  })
})
