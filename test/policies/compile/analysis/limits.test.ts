import { readdirSync } from 'node:fs'
import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { providers } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { setLimits, setSizes } from '../../../../policies/compile/analysis/set-limits.ts'
import { versionOf, workspaceFile } from '../builds.ts'

/** A route whose second rule does something for as long as it says. */
const policyThat = (id: string, does: string) => `import { route, rule, use } from '@signalbox/policies'
const work = (bytes: number): boolean => {${does}}
export default route('${id}', {
  onError: 'continue',
  rules: [
    rule('first', { when: (f) => f.request.stream, then: () => use('cheap') }),
    rule('second', { when: (f) => work(f.request.bytes), then: () => use('smart') }),
  ],
})
`
const loop = (turns: number): string =>
  ` let sum = bytes; for (let turn = 0; turn < ${turns}; turn++) sum += turn % 3; return sum < 0 `
const hoard = " const kept: string[] = []; kept.push('x'.repeat(9000000 + bytes)); return kept.length < 0 "
const recursion = ' const down = (depth: number): number => down(depth + 1) + 1; return down(bytes) < 0 '

async function vectorProblems(policies: Record<string, string>, overFuel?: 'refuse'): Promise<string[]> {
  const files = new Map([['signalbox.yaml', workspaceFile]])
  for (const [id, does] of Object.entries(policies)) {
    files.set(`policies/${id}.policy.ts`, policyThat(id, does))
  }
  const options = { catalogue: loadCatalogue(), typeCheck: false, ...(overFuel && { overFuel }) }
  const { problems, version } = await buildVersion(files, options)
  const found = problems.filter(({ code }) => /^(fuel_|memory_|rule_failed)/.test(code))
  return [
    ...found.map(
      ({ severity, code, message, ...at }) =>
        `${at.file}:${at.line}:${at.column} ${severity} ${code} ${message}`,
    ),
    ...(version ? [] : ['none']),
  ]
}

describe('the golden vectors', () => {
  it('have a loop refused at its rule, with the figure and the limit, where a version is made', async () => {
    expect(await vectorProblems({ a: loop(10) }, 'refuse')).toEqual([])
    expect(await vectorProblems({ a: loop(10), b: loop(100_000_000), c: loop(10) }, 'refuse')).toEqual([
      'policies/b.policy.ts:7:5 error fuel_exceeded rule "second" of "b" takes more fuel than the 1,000,000 of one ' +
        'evaluation: look for a loop that grows with the facts (golden vector "plain" in development)',
      'none',
    ])
  })

  it('have it warned of where cases are run', async () => {
    expect(await vectorProblems({ a: loop(100_000_000) })).toEqual([
      expect.stringMatching(/^policies\/a\.policy\.ts:7:5 warning fuel_exceeded /),
    ])
  })

  it('name the rule that takes most where all together take more than half of the fuel, or all of it', async () => {
    const near = await vectorProblems({ a: loop(100), b: loop(40_000) }, 'refuse')
    expect(near).toEqual([
      expect.stringMatching(
        /^policies\/b\.policy\.ts:7:5 warning fuel_high rule "second" of "b" takes [5-9]\d\d,\d{3} fuel of the [5-9]\d\d,\d{3} that all policies take together; one evaluation has 1,000,000 /,
      ),
    ])
    const few = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => [id, loop(10_000)]))
    const [over, none] = await vectorProblems({ ...few, e: loop(15_000) }, 'refuse')
    expect(over).toMatch(
      /^policies\/e\.policy\.ts:7:5 error fuel_exceeded rule "second" of "e" takes [\d,]+ fuel, and all policies together more than the 1,000,000 /,
    )
    expect(none).toBe('none')
  })

  it('have a rule that exhausts memory or the stack refused at its place', async () => {
    const [heap, none] = await vectorProblems({ a: loop(1), b: hoard }, 'refuse')
    expect(heap).toMatch(
      /^policies\/b\.policy\.ts:7:5 error memory_exceeded rule "second" of "b" takes more memory than one evaluation has \(.+\): it has 8,388,608 bytes/,
    )
    expect(none).toBe('none')
    const [stack] = await vectorProblems({ a: recursion }, 'refuse')
    expect(stack).toMatch(/^policies\/a\.policy\.ts:7:5 (error memory_exceeded|warning rule_failed) /)
  })

  it('have a rule that throws warned of at its place, in its own words', async () => {
    const throwing = " if (bytes >= 0) throw new Error('no bytes'); return true "
    expect(await vectorProblems({ a: throwing }, 'refuse')).toEqual([
      'policies/a.policy.ts:7:5 warning rule_failed rule "second" of "a" fails: Error: no bytes (golden vector "plain" in development)',
    ])
  })
})

describe('the size of a set', () => {
  it('is refused above its limit, with both figures', async () => {
    const { compiled } = await versionOf({})
    const reads = Array.from({ length: setLimits.factPaths }, (_, index) => `request.metadata.m${index}`)
    expect(setSizes({ compiled: { ...compiled, reads } })).toEqual([])
    expect(setSizes({ compiled: { ...compiled, reads: [...reads, 'nowMs'] } })).toMatchObject([
      {
        code: 'set_too_large',
        message: 'the workspace has 513 paths of facts that its policies read; at most 512 are possible',
      },
    ])
  })
})

describe('the list of providers', () => {
  it('is what the gateway has adapters for', () => {
    const folder = new URL('../../../../gateway/providers/', import.meta.url)
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
    expect(files.map((name) => name.replace(/\.ts$/, '')).sort()).toEqual([...providers].sort())
  })
})
