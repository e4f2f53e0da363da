import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  changedBetween,
  checkTypes,
  loadCatalogue,
  loadWorkspaceFolder,
  WatchSession,
  writeStarter,
} from '@signalbox/policies'

/**
 * What a save costs in `signalbox test --watch`: reading the folder, compiling the policy that changed, and the cases
 * about it, in a workspace of a few policies and of many; then the whole, then the types.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const savesPerSize = 20
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

async function measure(policies: number): Promise<void> {
  const folder = join(mkdtempSync(join(tmpdir(), 'signalbox-watch-')), 'starter')
  await writeStarter(folder, { name: 'starter' })
  const path = join(folder, 'policies/canary.policy.ts')
  const text = readFileSync(path, 'utf8')
  for (let index = 2; index < policies; index++) {
    writeFileSync(
      join(folder, `policies/p${index}.policy.ts`),
      text.replace("route('canary'", `route('p${index}'`),
    )
  }
  const session = await WatchSession.start(loadCatalogue())
  let files = await loadWorkspaceFolder(folder)
  const first = await session.whole(files)
  const times: number[] = []
  for (let save = 0; save < savesPerSize; save++) {
    writeFileSync(path, `${text}// ${save}\n`)
    const startMs = performance.now()
    const after = await loadWorkspaceFolder(folder)
    const report = await session.quick(after, changedBetween(files, after))
    times.push(performance.now() - startMs)
    files = after
    if (report === undefined || report.results.length === 0) throw new Error('the save was not noticed')
    if (report.results.some(({ passed }) => !passed)) throw new Error('a case fails')
  }
  const startMs = performance.now()
  await checkTypes(files)
  const typesMs = performance.now() - startMs
  session.dispose()
  rmSync(folder, { recursive: true })
  const sorted = times.toSorted((a, b) => a - b)
  say(
    `${policies} policies: save to result p50 ${quantile(sorted, 0.5).toFixed(0)} ms, ` +
      `p90 ${quantile(sorted, 0.9).toFixed(0)} ms, max ${quantile(sorted, 1).toFixed(0)} ms; ` +
      `the whole ${first.durationMs} ms, types ${typesMs.toFixed(0)} ms`,
  )
}

for (const policies of [2, 50, 150]) await measure(policies)
