import { expect, test } from 'vitest'
import { promptFile } from '../prompts/prompts.ts'
import { problemsOf } from './builds.ts'

const variables = `variables:
  tier: { enum: [free, paid] }
  size: { type: integer, default: 3 }
  tags: { type: array, items: { type: string }, required: false }`
const body = '{{tier}} {{size}} {{#tags}}{{.}}{{/tags}}'
const prompts = {
  'prompts/support.prompt.md': promptFile('support', variables, body),
  'prompts/plain.prompt.md': promptFile('plain', '', 'Be kind.'),
}

/** A route whose rule says this from line 3, column 15 on. */
const script = (then: string): Record<string, string> => ({
  'policies/a.policy.ts': `import { ordered, route, rule, target, use } from '@signalbox/policies'
export default route('a', { onError: 'deny', rules: [
  rule('x', { then: ${then} }),
] })
`,
})
const json = (use: string): Record<string, string> => ({
  'policies/a.policy.json': `{ "kind": "route", "id": "a", "onError": "deny", "rules": [ { "id": "x", "then":
  { "use": { "model": "smart", "prompt": ${use} } } } ] }`,
})
const found = async (files: Record<string, string>): Promise<string[]> =>
  (await problemsOf({ ...prompts, ...files })).map((each) => each.replace(/^policies\/a\.policy\./, ''))

test.each<[string, string, ...string[]]>([
  ['a good one', "(f) => use('smart').prompt('support', { tier: f.request.metadata.tier ?? 'free' })"],
  ['one without variables', "() => use('smart').prompt('plain')"],
  [
    'one in a plan',
    "() => ordered(target('smart', { prompt: { name: 'support', variables: { tier: 'free', tags: ['x'] } } }))",
  ],
  [
    'an unknown one',
    "() => use('smart').prompt('suport', {})",
    'ts:3:47 unknown prompt "suport"; did you mean "support"?',
  ],
  [
    'an unknown one where the rest depends on facts',
    "(f) => use('smart').maxOutputTokens(5).prompt('suport', { tier: f.request.route })",
    'ts:3:67 unknown prompt "suport"; did you mean "support"?',
  ],
  [
    'a missing variable',
    "() => use('smart').prompt('support')",
    'ts:3:47 the prompt "support" needs the variable "tier"',
  ],
  [
    'an unknown variable',
    "(f) => use('smart').prompt('support', { tier: 'free', sice: f.nowMs })",
    'ts:3:81 the prompt "support" has no variable "sice"; did you mean "size"?',
  ],
  [
    'a value that is none',
    "() => use('smart').prompt('support', { tier: 'gold', size: 1.5 })",
    'ts:3:66 the variable "tier" of the prompt "support" is not of its type; it is declared as {"enum":["free","paid"]}',
    'ts:3:80 the variable "size" of the prompt "support" is not of its type; it is declared as {"type":"integer","default":3}',
  ],
  [
    'an unknown one in a plan',
    "() => ordered('cheap', target('smart', { prompt: { name: 'nothing' } }))",
    'ts:3:78 unknown prompt "nothing"',
  ],
])('a policy in TypeScript that names %s is told so where it stands', async (_, then, ...expected) => {
  expect(await found(script(then))).toEqual(expected)
})

test.each<[string, string, ...string[]]>([
  [
    'a good one',
    '{ "name": "support", "variables": { "tier": { "fact": "request.metadata.tier", "or": "free" } } }',
  ],
  ['a name alone', '"plain"'],
  ['an unknown name', '"plian"', 'json:2:42 unknown prompt "plian"; did you mean "plain"?'],
  [
    'a name whose prompt has variables',
    '"support"',
    'json:2:42 the prompt "support" needs the variable "tier"',
  ],
  [
    'a wrong value',
    '{ "name": "support", "variables": { "tier": "gold" } }',
    'json:2:86 the variable "tier" of the prompt "support" is not of its type; it is declared as {"enum":["free","paid"]}',
  ],
  [
    'a fact that may be missing',
    '{ "name": "support", "variables": { "tier": { "fact": "request.metadata.tier" } } }',
    'json:2:96 "request.metadata.tier" may be missing: give a default with "or"',
  ],
  [
    'a fact of another type',
    '{ "name": "support", "variables": { "tier": "free", "size": { "fact": "request.route" } } }',
    'json:2:112 type mismatch: "size" needs a number, "request.route" is string',
  ],
  [
    'an unknown fact',
    '{ "name": "support", "variables": { "tier": { "fact": "request.rout", "or": "free" } } }',
    'json:2:96 unknown fact "request.rout"; did you mean "request.route"?',
  ],
])('a policy in JSON that names %s is told so where it stands', async (_, use, ...expected) => {
  expect(await found(json(use))).toEqual(expected)
})
