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
const conditions: [wrong: string, when: string, problem: string][] = [
  ['an unknown operator', '{ "equals": [1, 1] }', '3:15 unknown operator "equals"; did you mean "eq"?'],
  [
    'two operators',
    '{ "eq": [1, 1], "ne": [1, 2] }',
    '3:29 an expression has one operator, here are "eq" and "ne"; combine them with "all"',
  ],
  ['no operator', '{}', '3:13 an expression needs an operator, it is empty'],
  [
    'an unknown fact',
    '{ "fact": "request.strem" }',
    '3:23 unknown fact "request.strem"; did you mean "request.stream"?',
  ],
  [
    'an unknown part in the middle of a fact',
    '{ "gt": [{ "fact": "request.mesages.chars" }, 5] }',
    '3:32 unknown fact "request.mesages.chars"; did you mean "request.messages.chars"?',
  ],
  [
    'a member of a fact that has none',
    '{ "fact": "request.stream.on" }',
    '3:23 unknown fact "request.stream.on": "request.stream" has no members',
  ],
  [
    'a fact that is not near any other',
    '{ "fact": "environment.colour" }',
    '3:23 unknown fact "environment.colour"; "environment" has name, region',
  ],
  [
    'metadata that is not declared',
    '{ "eq": [{ "fact": "request.metadata.teir", "or": "" }, "free"] }',
    '3:32 unknown fact "request.metadata.teir": "metadata" of signalbox.yaml does not declare "teir"; did you mean "tier"?',
  ],
  [
    'a type that cannot be equal',
    '{ "eq": [{ "fact": "request.stream" }, "yes"] }',
    '3:21 type mismatch: "request.stream" is boolean, "yes" is string',
  ],
  [
    'a value that is none of an enumeration',
    '{ "eq": [{ "fact": "request.metadata.tier", "or": "paid" }, "fre"] }',
    '3:21 "fre" is no value of "request.metadata.tier": it is one of free, paid; did you mean "free"?',
  ],
  [
    'a comparison of what is no number',
    '{ "lt": [{ "fact": "request.route" }, 5] }',
    '3:22 type mismatch: "lt" needs a number, "request.route" is string',
  ],
  [
    'a start of what is no string',
    '{ "startsWith": [{ "fact": "request.route" }, 5] }',
    '3:59 type mismatch: "startsWith" needs a string, 5 is number',
  ],
  [
    'a default of another type',
    '{ "eq": [{ "fact": "request.metadata.level", "or": "none" }, 1] }',
    '3:64 type mismatch: "request.metadata.level" is number, its default "none" is string',
  ],
  [
    'an optional fact without a default',
    '{ "eq": [{ "fact": "request.metadata.tier" }, "free"] }',
    '3:32 "request.metadata.tier" may be missing: give a default with "or", or test it with "has" first',
  ],
  [
    'a fact below an optional one, tested only above it',
    '{ "any": [{ "has": "budget.tightest" }, { "gt": [{ "fact": "budget.tightest.usedPpm" }, 5] }] }',
    '3:72 "budget.tightest.usedPpm" may be missing: give a default with "or", or test it with "has" first',
  ],
  [
    'an unknown param',
    '{ "gt": [{ "param": "limti" }, 5] }',
    '3:33 unknown param "limti"; did you mean "limit"?',
  ],
  [
    'a condition that is no yes or no',
    '{ "fact": "request.route" }',
    '3:13 a condition must be true or false, "request.route" is string',
  ],
  [
    'a text as condition',
    '"request.stream"',
    '3:13 a condition must be true or false, "request.stream" is string',
  ],
  ['an empty all', '{ "all": [] }', '3:22 "all" needs a list of at least one condition'],
  ['one operand too few', '{ "eq": [1] }', '3:21 "eq" needs two operands'],
  [
    'a member of what is no list',
    '{ "in": ["a", { "fact": "request.route" }] }',
    '3:27 "in" needs a list, "request.route" is none',
  ],
  [
    'a member of another type',
    '{ "in": [{ "fact": "request.operation" }, ["chat", "vision"]] }',
    '3:64 "vision" is no value of "request.operation": it is one of chat, embeddings, completion, rerank, image, audio, moderation, countTokens, files, batches, realtime, passthrough',
  ],
  [
    'a bucket without a share',
    '{ "bucket": { "rollout": "x" } }',
    '3:25 "bucket" needs the members "rollout" (a name) and "ppm"',
  ],
  [
    'a test for what is always there',
    '{ "has": "request.stream" }',
    '3:22 warning: "request.stream" is never missing: this is always true',
  ],
]

test.each(conditions)('a condition with %s', async (_, when, problem) => {
  expect(await problemsOf({ [file]: constraint(when) })).toEqual([`${file}:${problem}`])
})

test('a test for presence makes an optional fact usable, as does the failure of a test for absence', async () => {
  const used = '{ "gt": [{ "fact": "budget.tightest.usedPpm" }, 5] }'
  const there = '{ "has": "budget.tightest" }'
  const conditions = [
    `{ "all": [${there}, ${used}] }`,
    `{ "any": [{ "not": ${there} }, ${used}] }`,
    `{ "all": [{ "any": [${there}, { "has": "budget.tightest.usedPpm" }] }, ${used}] }`,
    `{ "not": { "any": [{ "not": ${there} }, ${used}] } }`,
  ]
  for (const when of conditions) expect(await problemsOf({ [file]: constraint(when) })).toEqual([])
})
