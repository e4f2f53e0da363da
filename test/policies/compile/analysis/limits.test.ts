import { readdirSync } from 'node:fs'
import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { providers } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { fuelFinding, setLimits, setSizes } from '../../../../policies/compile/analysis/set-limits.ts'
import { versionOf, workspaceFile } from '../builds.ts'

/** A route whose rule walks a list so many times. */
const looping = (turns: number) => `import { route, rule, use } from '@signalbox/policies'
const work = (bytes: number): boolean => {
  let sum = bytes
  for (let turn = 0; turn < ${turns}; turn++) sum += turn % 3
  return sum > 0
}
export default route('a', { onError: 'deny', rules: [rule('x', { when: (f) => work(f.request.bytes), then: () => use('smart') })] })
`
async function fuelProblems(turns: number, overFuel?: 'refuse'): Promise<string[]> {
  const files = new Map([
    ['signalbox.yaml', workspaceFile],
    ['policies/a.policy.ts', looping(turns)],
  ])
  const options = { catalogue: loadCatalogue(), typeCheck: false, ...(overFuel && { overFuel }) }
  const { problems, version } = await buildVersion(files, options)
  const found = problems.filter(({ code }) => code.startsWith('fuel_'))
  return [
    ...found.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
    ...(version ? [] : ['none']),
  ]
}

describe('the fuel of golden vectors', () => {
  it('is within its limit, or refused with the figure and the limit where a version is made', async () => {
    expect(await fuelProblems(10, 'refuse')).toEqual([])
    const [problem, none] = await fuelProblems(100_000_000, 'refuse')
    expect(problem).toMatch(
      /^error fuel_exceeded golden vector "plain" in development takes [\d,]+ fuel; one evaluation has 1,000,000: /,
    )
    expect(none).toBe('none')
  })

  it('is warned of where cases are run, and above half of the limit', async () => {
    expect(await fuelProblems(100_000_000)).toEqual([expect.stringMatching(/^warning fuel_exceeded /)])
    const heaviest = { name: 'plain', environment: 'staging', fuel: 1_000_000 }
    expect(fuelFinding(heaviest, 2_000_001)).toBeUndefined()
    expect(fuelFinding(heaviest, 2_000_000)).toMatchObject({
      code: 'fuel_high',
      severity: 'warning',
      message:
        'golden vector "plain" in staging takes 1,000,000 fuel, more than half of the 2,000,000 of one evaluation',
    })
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
