import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  changedBetween,
  loadCatalogue,
  loadWorkspaceFolder,
  WatchSession,
  writeStarter,
} from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = join(mkdtempSync(join(tmpdir(), 'signalbox-watch-')), 'starter')
let session: WatchSession
beforeAll(async () => {
  await writeStarter(folder, { name: 'starter' })
  session = await WatchSession.start(loadCatalogue())
  const first = await session.whole(await loadWorkspaceFolder(folder))
  expect(first.problems).toEqual([])
  expect(first.results.length).toBeGreaterThan(20)
})
afterAll(() => {
  session.dispose()
  rmSync(join(folder, '..'), { recursive: true })
})

/** What the session says first after a file got another text; the file is put back. */
async function afterSave(path: string, from: string, to: string) {
  const before = await loadWorkspaceFolder(folder)
  const text = readFileSync(join(folder, path), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(folder, path), text.replace(from, to))
  const after = await loadWorkspaceFolder(folder)
  writeFileSync(join(folder, path), text)
  const changed = changedBetween(before, after)
  expect([...changed]).toEqual([path])
  return session.quick(after, changed)
}

describe('after a save', () => {
  it('the cases about the policy that changed are run, and no others', async () => {
    const report = await afterSave('policies/canary.policy.ts', "!== 'smart'", "=== 'smart'")
    expect(new Set(report?.results.map(({ file }) => file))).toEqual(new Set(['tests/canary.cases.yaml']))
    expect(report?.results.some(({ passed }) => !passed)).toBe(true)
    const again = await afterSave('policies/canary.policy.ts', '5 %', '6 %')
    expect(again?.results.every(({ passed }) => passed)).toBe(true)
  })

  it('of cases the policy that they are about is asked', async () => {
    const report = await afterSave('tests/canary.cases.yaml', 'rule: other-models', 'rule: canary')
    expect(report?.results.filter(({ passed }) => !passed)).toHaveLength(3)
  })

  it('of a guardrail its own cases are run', async () => {
    const report = await afterSave('guardrails/no-secrets.guardrail.json', 'SECRET_IN_PROMPT', 'OTHER')
    expect(report?.results.map(({ file, passed }) => `${file} ${passed}`)).toEqual([
      'tests/no-secrets.cases.yaml true',
      'tests/no-secrets.cases.yaml false',
      'tests/no-secrets.cases.yaml true',
    ])
  })

  it('what does not compile is told with its place', async () => {
    const report = await afterSave('policies/canary.policy.ts', "use('smart')", "use('smrt')")
    expect(report).toMatchObject({
      results: [],
      problems: [{ severity: 'error', code: 'unknown_model', file: 'policies/canary.policy.ts' }],
    })
  })

  it('what may touch everything is left to the whole', async () => {
    expect(await afterSave('signalbox.yaml', 'name: starter', 'name: other')).toBeUndefined()
    expect(await afterSave('fixtures/base.facts.json', '"ci"', '"other"')).toBeUndefined()
  })
})
