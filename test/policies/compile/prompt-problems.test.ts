import { expect, test } from 'vitest'
import { problemsOfPrompts, promptFile } from '../prompts/prompts.ts'

const variables = `variables:
  name: { type: string }
  tags: { type: array, items: { type: string } }
  note: { type: string, required: false }
  loud: { type: boolean }`
/** The body begins at line 9. */
const of = (body: string): string =>
  promptFile(
    'p',
    variables,
    `${body}{{! used }}{{#loud}}{{#tags}}{{.}}{{/tags}}{{/loud}}{{#note}}{{/note}}{{name}}`,
  )

test.each<[string, string, ...string[]]>([
  ['an unknown variable', of('{{nmae}} '), 'p0:9:1 unknown variable "nmae"; did you mean "name"?'],
  [
    'what is no tag',
    of('x {{ na me }} '),
    'p0:9:3 "{{ na me }}" is no tag; for two braces as text write "\\{{"',
  ],
  [
    'braces that do not close',
    of('x {{ name }\n'),
    'p0:9:3 "{{" is no tag; for two braces as text write "\\{{"',
  ],
  ['three braces', of('{{{name}}} '), 'p0:9:1 "{{" is no tag; for two braces as text write "\\{{"'],
  ['a list without its section', of('{{tags}} '), 'p0:9:1 "tags" is a list: write "{{#tags}}{{.}}{{/tags}}"'],
  [
    'a variable that may be missing',
    of('{{note}} '),
    'p0:9:1 "note" may be missing: give it a "default", or write it inside of "{{#note}}"',
  ],
  [
    'a member without a list',
    of('{{.}} '),
    'p0:9:1 "{{.}}" is the member of a list: it stands inside of a section of one',
  ],
  [
    'a section that never changes',
    of('{{#name}}x{{/name}} '),
    'p0:9:1 "name" always has a value: a section is for a boolean, a list, or a variable with "required: false"',
  ],
  ['a section without an end', of('{{#loud}} '), 'p0:9:1 "{{#loud}}" has no end: write "{{/loud}}" after it'],
  ['an end without a section', of('{{/loud}} '), 'p0:9:1 "{{/loud}}" ends nothing: no section is open here'],
  [
    'sections that cross',
    of('{{#loud}}{{#note}}{{/loud}}{{/note}}{{/loud}} '),
    'p0:9:19 "{{/loud}}" ends nothing: "{{/note}}" has to come first',
  ],
  [
    'a list in a list',
    of('{{#tags}}{{#tags}}{{.}}{{/tags}}{{/tags}} '),
    'p0:9:10 a list cannot stand inside of a list',
  ],
  [
    'an unknown role',
    of('{{@sytem}}\n'),
    'p0:9:1 "{{@sytem}}" begins no message; there are system, user, assistant',
  ],
  [
    'a message in a section',
    of('{{#loud}}{{@user}}{{/loud}} '),
    'p0:9:10 "{{@user}}" stands inside of "{{#loud}}": a section cannot hold messages',
  ],
  [
    'a partial that is not named',
    of('{{> style}} '),
    'p0:9:1 unknown partial "style"; name it under "partials"',
  ],
])('%s is an error at its place', (_, file, ...expected) => {
  const found = problemsOfPrompts(file)
  expect(found).toHaveLength(expected.length)
  for (const [index, each] of expected.entries()) expect(found[index]).toContain(each)
})

test.each<[string, string, string]>([
  [
    'a type that is none',
    'x: { type: object }',
    'p0:4:8 "type" must be one of string, number, integer, boolean',
  ],
  ['an unknown keyword', 'x: { type: string, patern: a }', 'p0:4:22 unknown member "patern"'],
  ['a pattern', 'x: { type: string, pattern: a }', 'p0:4:22 regular expressions are not supported here'],
  ['a list without items', 'x: { type: array }', 'p0:4:3 a list needs "items", the schema of one member'],
  ['a list of lists', 'x: { type: array, items: { type: array } }', 'p0:4:30 "type" must be one of'],
  [
    'a default of another type',
    'x: { type: integer, default: many }',
    'p0:4:23 "default" is no value of the variable: "many"',
  ],
  [
    'a default that is required',
    'x: { type: string, default: a, required: true }',
    'p0:4:34 a variable with a "default"',
  ],
  ['a name of JavaScript', 'toString: { type: string }', 'p0:4:3 "toString" is a name of JavaScript\'s own'],
])('a variable with %s is an error at its place', (_, variable, expected) => {
  const name = variable.slice(0, variable.indexOf(':'))
  expect(problemsOfPrompts(promptFile('p', `variables:\n  ${variable}`, `{{${name}}}`))).toEqual([
    expect.stringContaining(expected),
  ])
})

test('prompts that include each other are refused with the way round', () => {
  const found = problemsOfPrompts(
    promptFile('a', 'partials: [b]', '{{> b}}'),
    promptFile('b', 'partials: [c]', '{{> c}}'),
    promptFile('c', 'partials: [a]', '{{> a}}'),
    promptFile('d', 'partials: [d]', '{{> d}}'),
  )
  expect(found).toEqual([
    'p0:3:12 prompts include each other without end: a → b → c → a',
    'p1:3:12 prompts include each other without end: b → c → a → b',
    'p2:3:12 prompts include each other without end: c → a → b → c',
    'p3:3:12 prompts include each other without end: d → d',
  ])
})

test('partials have to exist, to be used, to hold no messages, and to agree on variables', () => {
  const found = problemsOfPrompts(
    promptFile(
      'a',
      'partials: [stlye, talk, style]\nvariables: { x: { type: string } }',
      '{{> talk}}{{> style}}{{x}}',
    ),
    promptFile('style', 'variables: { x: { type: integer } }', '{{x}}'),
    promptFile('talk', '', '{{@user}}\nHi'),
    promptFile('b', 'partials: [style]', 'x'),
    promptFile('style', '', 'again'),
  )
  expect(found).toEqual([
    'p0:3:12 warning: the partial "stlye" is named but not included',
    'p0:3:12 unknown prompt "stlye"; did you mean "style"?',
    'p0:3:19 "talk" begins messages (prompts/p2.prompt.md:4:1) and cannot be a part of another prompt',
    'p3:3:12 warning: the partial "style" is named but not included',
    'p4:2:7 the prompt "style" stands in prompts/p1.prompt.md too',
  ])
  const clash = problemsOfPrompts(
    promptFile('a', 'partials: [style]\nvariables: { x: { type: string } }', '{{> style}}{{x}}'),
    promptFile('style', 'variables: { x: { type: integer } }', '{{x}}'),
  )
  expect(clash).toEqual(['p0:4:14 the variable "x" is declared in prompts/p1.prompt.md too, in another way'])
})

test('a prompt that grows without measure through its partials is refused', () => {
  const files = Array.from({ length: 20 }, (_, index) =>
    promptFile(
      `p${index}`,
      index < 19 ? `partials: [p${index + 1}]` : '',
      index < 19 ? `{{> p${index + 1}}} `.repeat(2) : 'x',
    ),
  )
  const found = problemsOfPrompts(...files)
  expect(found[0]).toBe('p0:2:7 with its partials a prompt has at most 4096 parts and 524288 characters')
})

test('a variable that is declared and not used is a warning', () => {
  expect(problemsOfPrompts(promptFile('p', 'variables: { x: { type: string } }', 'y'))).toEqual([
    'p0:3:14 warning: the variable "x" is declared but not used',
  ])
})

test('sections without end, as deep as a file can be, are refused and break nothing', () => {
  const found = problemsOfPrompts(
    promptFile('p', 'variables: { a: { type: boolean } }', '{{#a}}'.repeat(40_000)),
  )
  expect(found).toHaveLength(50)
  expect(found[0]).toBe('p0:5:49 sections are at most 8 deep')
})
