import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeStarter } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changedFiles } from '../../../policies/cli/changed-files.ts'
import { problemsOfTests } from '../../../policies/cli/print-tests.ts'
import { parseThreshold } from '../../../policies/cli/test-options.ts'
import type { TestReport } from '../../../policies/cli/test-workspace.ts'

const cli = fileURLToPath(new URL('../../../policies/cli/signalbox.ts', import.meta.url))
const folder = join(mkdtempSync(join(tmpdir(), 'signalbox-test-verb-')), 'acme')
const rule = "rule('control', {"
beforeAll(async () => {
  await writeStarter(folder, { name: 'acme' })
  appendFileSync(join(folder, 'signalbox.yaml'), 'environments:\n  production: { coverage: 100 }\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args])
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'one')
  // A rule that no case knows of.
  const path = join(folder, 'policies/canary.policy.ts')
  const more = "rule('odd', { when: (f) => f.request.bytes > 999_999, then: () => use('cheap') }),\n    "
  writeFileSync(path, readFileSync(path, 'utf8').replace(rule, `${more}${rule}`))
})
afterAll(() => rmSync(join(folder, '..'), { recursive: true }))

function test(args: readonly string[], env: Record<string, string> = {}) {
  const { CI: _, ...inherited } = process.env
  const options = { cwd: folder, encoding: 'utf8', env: { ...inherited, NO_COLOR: '1', ...env } } as const
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'test', '--runs', '5', ...args],
    options,
  )
  return { status, stdout, stderr }
}

describe('signalbox test', () => {
  it('refuses figures below those that an environment asks for, at their places', () => {
    const { status, stdout, stderr } = test(['--env', 'production', '--format', 'github'])
    expect(status).toBe(1)
    expect(stdout).toMatch(
      /::error file=signalbox\.yaml,line=\d+,col=\d+,title=coverage::coverage is \d\d %25 \(\d+ of \d+\), 100 %25 is/,
    )
    expect(stdout).toMatch(
      /::warning file=policies\/canary\.policy\.ts,line=\d+,col=5,title=uncovered::odd: never true: f\.request/,
    )
    expect(stderr).not.toContain('Error')
  })

  it('prints one document of what a change touches, and writes JUnit beside it', () => {
    const junit = join(folder, '..', 'junit.xml')
    const { status, stdout } = test(['--json', '--changed-only', '--min', '100', '--junit', junit])
    expect(status).toBe(1)
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ failed: 0, todo: 0, propertyRuns: 5 })
    expect(report.refusals).toMatchObject([{ code: 'coverage', message: expect.stringContaining('100 %') }])
    expect(report.coverage.map(({ policy }: { policy: string }) => policy)).toEqual(['canary'])
    expect(report.fuel.length).toBeGreaterThan(2)
    expect(readFileSync(junit, 'utf8')).toContain('classname="tests/residency.test.ts"')
  })

  it('writes no snapshots where CI is set', () => {
    const { status, stderr } = test(['-u'], { CI: 'true' })
    expect(status).toBe(2)
    expect(stderr).toContain('add --force')
  })

  it('tells wrong usage from a failed test', () => {
    expect(test(['--min', '101']).status).toBe(2)
  })
})

describe('figures that are asked for', () => {
  it('add up by name, and are refused where they are none', () => {
    const both = parseThreshold('both-outcomes=100', parseThreshold('90'))
    expect(both).toEqual({ all: 90, 'both-outcomes': 100 })
    for (const text of ['101', 'lines=5', '', '5%', '-1'])
      expect(() => parseThreshold(text)).toThrow(/Expected/)
  })
})

describe('changes since a Git reference', () => {
  it('are files that differ or are new, and undefined where Git cannot tell', () => {
    writeFileSync(join(folder, 'tests/new.cases.yaml'), 'bundle: all\ncases: []\n')
    expect(changedFiles(folder, 'HEAD')).toEqual(
      new Set(['policies/canary.policy.ts', 'tests/new.cases.yaml']),
    )
    expect(changedFiles(folder, 'no-such-branch')).toBeUndefined()
    expect(changedFiles(tmpdir(), 'HEAD')).toBeUndefined()
  })
})

describe('reports', () => {
  it('have every objection with its place, and what no case saw only where that is asked', () => {
    const place = { file: 'a', line: 1, column: 2 }
    const rule = { rule: 'r', line: 3, column: 1, matched: false, passedOver: false, always: true }
    const report: TestReport = {
      results: [{ ...place, name: 'n', passed: false, message: 'm' }],
      passed: 0,
      failed: 1,
      todo: 0,
      durationMs: 1,
      fuelMax: 1,
      fuel: [],
      coverage: [
        { policy: 'p', kind: 'policy', file: 'f', rules: [rule], conditions: [], reasons: [], onErrors: [] },
      ],
      problems: [],
      propertyRuns: 0,
      refusals: [{ ...place, severity: 'error', code: 'coverage', message: 'c' }],
      mutants: {
        killed: 1,
        survivors: [{ ...place, description: 'd' }],
        invalid: 0,
        notRun: 0,
        durationMs: 1,
      },
    }
    const options = { failOnEmpty: true, format: 'sarif', mutateSeconds: 1 } as const
    const codes = (asked: object) => problemsOfTests(report, { ...options, ...asked }).map(({ code }) => code)
    expect(codes({})).toEqual(['case_failed', 'coverage', 'mutant_survived'])
    expect(codes({ coverage: true })).toEqual(['case_failed', 'coverage', 'uncovered', 'mutant_survived'])
  })
})
