import { describe, expect, it } from 'vitest'
import { formatCases } from '../../../policies/cases/format-cases.ts'
import { formatCoverage } from '../../../policies/cases/format-coverage.ts'
import { junitReport } from '../../../policies/cases/junit-report.ts'
import type { CasesReport } from '../../../policies/cases/run-cases.ts'

const file = 'tests/a.cases.yaml'
const report: CasesReport = {
  results: [
    { file, name: 'one', passed: true, line: 3, column: 5 },
    {
      file,
      name: 'two <&> "x"',
      passed: false,
      line: 6,
      column: 5,
      message: 'rule: expected "a"\neffect: \u0000',
    },
    { file: 'tests/b.cases.yaml', name: 'three', passed: true, line: 2, column: 5 },
  ],
  passed: 2,
  failed: 1,
  todo: 0,
  durationMs: 12,
  fuelMax: 8000,
  fuel: [],
  coverage: [
    {
      policy: 'canary',
      kind: 'policy',
      file: 'policies/canary.policy.ts',
      rules: [
        { rule: 'r', line: 4, column: 3, matched: true, passedOver: true, always: false },
        { rule: 's', line: 7, column: 3, matched: false, passedOver: true, always: false },
        { rule: 't', line: 9, column: 3, matched: true, passedOver: false, always: true },
      ],
      conditions: [
        { rule: 'r', text: 'a === b', line: 4, column: 3, lifted: true, seenTrue: true, seenFalse: true },
        { rule: 's', text: 'c', line: 7, column: 3, lifted: false, seenTrue: false, seenFalse: true },
      ],
      reasons: [{ rule: 't', code: 'NO', line: 10, column: 20, seen: false }],
      onErrors: [{ rule: null, line: 4, column: 3, seen: false }],
    },
  ],
  problems: [],
}

describe('formatCases', () => {
  it('shows failed cases with their place and ends with the counts', () => {
    expect(formatCases(report, { colour: false })).toBe(`failed tests/a.cases.yaml 1/2
  tests/a.cases.yaml:6:5 two <&> "x"
    rule: expected "a"
    effect: \u0000
ok tests/b.cases.yaml 1/1
2 passed, 1 failed in 12 ms`)
  })

  it('colours only where it is asked to', () => {
    expect(formatCases(report, { colour: true })).toContain('\u001b[31m')
    expect(formatCases(report, { colour: false })).not.toContain('\u001b')
  })

  it('shows warnings', () => {
    const message = 'The workspace has no cases'
    const warning = {
      severity: 'warning',
      code: 'noCases',
      file: 'signalbox.yaml',
      line: 1,
      column: 1,
      message,
    } as const
    const empty = { ...report, results: [], passed: 0, failed: 0, problems: [warning] }
    expect(formatCases(empty, { colour: false })).toBe(
      'signalbox.yaml:1:1 warning The workspace has no cases\n0 passed, 0 failed in 12 ms',
    )
  })
})

describe('formatCoverage', () => {
  it('counts what was seen, and names what was not with its place', () => {
    expect(
      formatCoverage(report, { colour: false }),
    ).toBe(`policy        rules  both-outcomes  branches  reasons  on-error  lifted
canary        2/3    1/2            4/5       0/1      0/1       1/2
all           2/3    1/2            4/5       0/1      0/1       1/2
no case has seen:
  policies/canary.policy.ts:7:3 s: never true: c
  policies/canary.policy.ts:10:20 t: never gave the reason NO
  policies/canary.policy.ts:4:3 onError of the policy: never taken (add to the cases of "policy: canary": { name: breaks, throw: true, expect: { error: exception } })
coverage 58 % (7 of 12)`)
  })
})

describe('junitReport', () => {
  it('is XML with a suite per file and every text escaped', () => {
    expect(junitReport(report)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="signalbox" tests="3" failures="1" time="0.012">
  <testsuite name="tests/a.cases.yaml" tests="2" failures="1">
    <testcase name="one" classname="tests/a.cases.yaml" file="tests/a.cases.yaml" line="3"/>
    <testcase name="two &lt;&amp;&gt; &quot;x&quot;" classname="tests/a.cases.yaml" file="tests/a.cases.yaml" line="6">
      <failure message="rule: expected &quot;a&quot;&#10;effect: \ufffd"/>
    </testcase>
  </testsuite>
  <testsuite name="tests/b.cases.yaml" tests="1" failures="0">
    <testcase name="three" classname="tests/b.cases.yaml" file="tests/b.cases.yaml" line="2"/>
  </testsuite>
</testsuites>
`)
  })
})
