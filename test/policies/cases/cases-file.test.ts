import { describe, expect, it } from 'vitest'
import { parseCasesFile } from '../../../policies/cases/cases-file.ts'

const errorsOf = (text: string): string[] =>
  parseCasesFile('tests/a.cases.yaml', text).errors.map(
    ({ file, line, column, message }) => `${file}:${line}:${column} ${message}`,
  )

describe('parseCasesFile', () => {
  it('reads the cases of a policy and knows where each stands', () => {
    const text = `policy: canary
now: 2026-09-01T10:00:00Z
cases:
  - name: one
    set: { request.stream: true }
    expect: { rule: a }
  - { name: two, matrix: { request.stream: [true, false] }, snapshot: true }
`
    const file = parseCasesFile('tests/a.cases.yaml', text)
    expect(file.errors).toEqual([])
    expect(file.suite).toMatchObject({ kind: 'policy', policy: 'canary', now: '2026-09-01T10:00:00Z' })
    expect(file.placeOf(0)).toEqual({ line: 4, column: 5 })
    expect(file.placeOf(1)).toEqual({ line: 7, column: 5 })
  })

  it('tells the kinds apart', () => {
    const kindOf = (text: string) => parseCasesFile('tests/a.cases.yaml', text).suite?.kind
    expect(kindOf('bundle: all\ncases: []')).toBe('policy')
    expect(kindOf('guardrail: g\ncases: [{ name: a, expect: { verdict: pass } }]')).toBe('guardrail')
    expect(kindOf('prompt: p\ncases: [{ name: a, expect: { text: x } }]')).toBe('prompt')
  })

  it('reports all that is wrong with its place', () => {
    const text = `policy: canary
facs: fixtures/base.facts.json
cases:
  - name: one
    expect: {}
  - name: two
    sett: { a: 1 }
    expect: { rule: a }
  - nam: three
`
    expect(errorsOf(text)).toEqual([
      'tests/a.cases.yaml:2:1 unknown member "facs"; did you mean "facts"?',
      expect.stringMatching(/^tests\/a\.cases\.yaml:5:13 "expect" /),
      'tests/a.cases.yaml:7:5 unknown member "sett"; did you mean "set"?',
      'tests/a.cases.yaml:9:5 unknown member "nam"; did you mean "name"?',
    ])
  })

  it('refuses a case that cannot fail and two cases of one name', () => {
    const text =
      'policy: p\ncases:\n  - name: one\n  - { name: two, snapshot: true }\n  - { name: two, snapshot: true }\n'
    expect(errorsOf(text)).toEqual([
      'tests/a.cases.yaml:3:5 case "one" has neither "expect" nor "snapshot"',
      'tests/a.cases.yaml:5:5 there is another case "two" above',
    ])
  })

  it('says what it expected of a file that is something else', () => {
    const wanted = 'tests/a.cases.yaml:1:1 expected "policy", "bundle", "guardrail" or "prompt", and "cases"'
    for (const text of ['', '- 1\n', 'cases: []\n', '42']) expect(errorsOf(text)).toEqual([wanted])
    expect(errorsOf('policy: p\nbundle: all\ncases: []')).toEqual([
      'tests/a.cases.yaml:2:1 give either "policy" or "bundle"',
    ])
  })

  it('reports broken YAML and documents that blow up', () => {
    expect(errorsOf('policy: p\ncases: [\n  { name: a\n')[0]).toMatch(/^tests\/a\.cases\.yaml:[34]:\d+ /)
    expect(errorsOf('policy: a\npolicy: b\n')[0]).toMatch(/^tests\/a\.cases\.yaml:2:1 .*unique/)
    const rows = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`)
    expect(errorsOf(`a0: &a0 [1]\n${rows.join('\n')}\n`)[0]).toMatch(/alias/i)
  })
})
