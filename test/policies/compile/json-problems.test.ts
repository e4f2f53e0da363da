import { expect, test } from 'vitest'
import { problemsOf } from './builds.ts'

const file = 'policies/a.policy.json'

/** A constraint with one rule; what is given stands at column 13 of line 3 (condition) or of line 4 (effects). */
function constraint(when: string, then = '{ "cap": { "maxOutputTokens": 5 } }'): string {
  return `{ "kind": "constraint", "id": "a", "params": { "limit": { "type": "int", "default": 5 } }, "rules": [
  { "id": "x",
    "when": ${when},
    "then": ${then} } ] }`
}
function route(then: string, when = 'true'): string {
  return constraint(when, then).replace('constraint', 'route')
}

const effects: [wrong: string, text: string, ...problems: string[]][] = [
  [
    'an unknown effect',
    constraint('true', '{ "dney": {} }'),
    '4:15 unknown effect "dney"; did you mean "deny"?',
  ],
  ['an effect without its code', constraint('true', '{ "deny": {} }'), '4:23 "deny" needs the member "code"'],
  [
    'an unknown member, named by the effect that was meant',
    constraint('true', '{ "deny": { "code": "A", "htpp": 403 } }'),
    '4:38 unknown member "htpp"; did you mean "http"?',
  ],
  [
    'a status that is none',
    constraint('true', '{ "deny": { "code": "A", "http": 200 } }'),
    '4:46 "http" must be at least 400, not 200',
  ],
  [
    'a code that is none',
    constraint('true', '{ "deny": { "code": "no way" } }'),
    '4:33 "code" "no way" is not allowed here (a code: a letter, then letters, digits or "_", ^[A-Za-z][A-Za-z0-9_]{0,63}$)',
  ],
  [
    'a constraint that chooses',
    constraint('true', '{ "use": { "model": "smart" } }'),
    '4:15 a constraint cannot say "use": it may only narrow (deny, only, requireGuard, cap)',
  ],
  [
    'a route that narrows',
    route('{ "cap": { "maxOutputTokens": 5 } }'),
    '4:15 a route cannot say "cap": it may only choose (use, plan, deny, continue)',
  ],
  [
    'two effects of a route',
    route('[{ "continue": true }, { "use": { "model": "smart" } }]'),
    '4:36 a rule of a route has one effect, here are 2',
  ],
  [
    'the second of two effects wrong',
    constraint('true', '[{ "cap": {} }, { "only": { "were": {} } }]'),
    '4:41 unknown member "were"; did you mean "where"?',
  ],
  [
    'an unknown alias',
    route('{ "use": { "model": "smrt" } }'),
    '4:33 unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
  ],
  [
    'an unknown fallback',
    route('{ "use": { "model": "smart", "fallback": ["cheap", "opnai/gpt-5"] } }'),
    '4:64 unknown connection "opnai" in "opnai/gpt-5"; did you mean "openai"?',
  ],
  [
    'an unknown connection in a filter',
    constraint('true', '{ "only": { "where": { "connection": ["locale"] } } }'),
    '4:51 unknown connection "locale"; did you mean "local"?',
  ],
  [
    'an unknown guardrail',
    constraint('true', '{ "requireGuard": { "id": "pii", "direction": "input" } }'),
    '4:39 unknown guardrail "pii"',
  ],
  [
    'an unknown prompt',
    route('{ "use": { "model": "smart", "prompt": "polish" } }'),
    '4:52 unknown prompt "polish"',
  ],
  [
    'a strategy without its options',
    route('{ "plan": { "strategy": "weighted", "of": [{ "target": "openai/gpt-5.5" }] } }'),
    '4:23 needs the member "weights"',
  ],
  [
    'a strategy that does not exist',
    route('{ "plan": { "strategy": "orderd", "of": [{ "target": "openai/gpt-5.5" }] } }'),
    '4:37 "strategy" must be one of ordered, weighted, lowestCost, lowestLatency, leastBusy, sticky, hedged; did you mean "ordered"?',
  ],
  [
    'a pipeline of no steps',
    route('{ "plan": { "pipeline": [] } }'),
    '4:37 "pipeline" needs at least 1 entry',
  ],
  [
    'an unknown target in a tree',
    route('{ "plan": { "strategy": "ordered", "of": [{ "target": "openai/a" }, { "target": "opnai/b" }] } }'),
    '4:93 unknown connection "opnai" in "opnai/b"; did you mean "openai"?',
  ],
  [
    'a model from a fact that does not exist',
    route('{ "use": { "model": { "fact": "request.model.alais", "or": "smart" } } }'),
    '4:43 unknown fact "request.model.alais"; did you mean "request.model.alias"?',
  ],
  [
    'a model from a fact that is no text',
    route('{ "use": { "model": { "fact": "request.bytes", "or": "smart" } } }'),
    '4:43 type mismatch: "model" needs a string, "request.bytes" is number',
  ],
]

test.each(effects)('an effect with %s', async (_, text, ...problems) => {
  expect(await problemsOf({ [file]: text })).toEqual(problems.map((problem) => `${file}:${problem}`))
})

const rules = '"rules": [ { "id": "x", "then": { "continue": true } } ]'
const files: [wrong: string, text: string, ...problems: string[]][] = [
  [
    'a comma too many',
    '{ "kind": "route",\n  "id": "a", }',
    '2:12 expected a member after this comma: the last one of an object has none',
  ],
  ['a comma too few', '{ "kind": "route"\n  "id": "a" }', '2:3 expected "," or "}", but there is "\\""'],
  ['no end', '{ "kind": "route"', '1:18 expected "," or "}", but the file ends'],
  ['a member twice', `{ "kind": "route", "id": "a",\n "id": "b", ${rules} }`, '2:2 "id" stands twice'],
  [
    'text after its end',
    `{ "kind": "route", "id": "a", ${rules} } x`,
    '1:90 expected the end of the file, but there is "x"',
  ],
  [
    'an unknown member',
    `{ "kind": "route", "id": "a", "onErr": "deny", ${rules} }`,
    '1:31 unknown member "onErr"; did you mean "onError"?',
  ],
  ['a missing member', `{ "kind": "route", ${rules} }`, '1:1 needs the member "id"'],
  ['no rule', '{ "kind": "route", "id": "a", "rules": [] }', '1:40 "rules" needs at least 1 entry'],
  [
    'a wrong kind',
    `{ "kind": "rout", "id": "a", ${rules} }`,
    '1:11 "kind" must be one of constraint, route; did you mean "route"?',
  ],
  [
    'an id that is none',
    `{ "kind": "route", "id": "A b", ${rules} }`,
    '1:26 "id" "A b" is not allowed here (Stable id of the policy, ^[a-z0-9][a-z0-9._-]{0,127}$)',
  ],
  [
    'two rules of one id',
    '{ "kind": "route", "id": "a", "rules": [\n { "id": "x", "then": { "continue": true } },\n { "id": "x", "then": { "continue": true } } ] }',
    '3:10 the policy "a" has two rules "x"',
  ],
  [
    'a safe route that does not exist',
    `{ "kind": "route", "id": "a", "safeRoute": "smrt", ${rules} }`,
    '1:1 "safeRoute": unknown model "smrt": it is no alias of signalbox.yaml; did you mean "smart"?',
  ],
  [
    'a safe route that is wanted but not given',
    `{ "kind": "route", "id": "a", "rules": [ { "id": "x", "onError": "safeRoute", "then": { "continue": true } } ] }`,
    '1:42 "onError" is "safeRoute", but neither the policy nor signalbox.yaml has a "safeRoute"',
  ],
  [
    'a param outside its own limits',
    `{ "kind": "route", "id": "a", "params": { "p": { "type": "int", "default": 9, "max": 5 } }, ${rules} }`,
    '1:76 the default of "p" is outside its own limits',
  ],
  [
    'a param of no type',
    `{ "kind": "route", "id": "a", "params": { "p": { "type": "integer", "default": 9 } }, ${rules} }`,
    '1:58 "type" must be one of int, ppm, bool, string, stringList; did you mean "int"?',
  ],
]

test.each(files)('a file with %s', async (_, text, ...problems) => {
  expect(await problemsOf({ [file]: text })).toEqual(problems.map((problem) => `${file}:${problem}`))
})

test('a constraint has no safe route', async () => {
  const text = constraint('true').replace(
    '"id": "a",',
    '"id": "a", "safeRoute": "smart", "onError": "safeRoute",',
  )
  expect(await problemsOf({ [file]: text })).toEqual([
    `${file}:1:36 a constraint has no safe route: it only narrows`,
    `${file}:1:69 a constraint has no safe route; "onError" is "deny" or "continue"`,
  ])
})

test('two policies of one id', async () => {
  const text = constraint('true')
  expect(await problemsOf({ [file]: text, 'policies/b.policy.json': text })).toEqual([
    'policies/b.policy.json:1:31 the policy "a" stands in policies/a.policy.json too',
  ])
})

test('one param declared in two ways', async () => {
  const text = constraint('true')
  const other = text.replace('"id": "a"', '"id": "b"').replace('"default": 5', '"default": 6')
  expect(await problemsOf({ [file]: text, 'policies/b.policy.json': other })).toEqual([
    'policies/b.policy.json:1:48 the param "limit" is declared in policies/a.policy.json too, in another way',
  ])
})

test('all problems come at once, by file and position', async () => {
  expect(
    await problemsOf({
      [file]: constraint('{ "any": [{ "fact": "request.strem" }, { "equals": [] }] }', '{ "dney": {} }'),
      'policies/b.policy.json': '{',
      'policies/c.policy.ts':
        "import { route } from '@signalbox/policy'\nexport default route('c', { rules: [] })\n",
    }),
  ).toEqual([
    `${file}:3:33 unknown fact "request.strem"; did you mean "request.stream"?`,
    `${file}:3:54 unknown operator "equals"; did you mean "eq"?`,
    `${file}:4:15 unknown effect "dney"; did you mean "deny"?`,
    'policies/b.policy.json:1:2 expected a name in quotes, but the file ends',
    'policies/c.policy.ts:1:23 cannot import "@signalbox/policy": a file may import "@signalbox/policies", files of the workspace by relative path, and packs that signalbox.yaml lists',
  ])
})
