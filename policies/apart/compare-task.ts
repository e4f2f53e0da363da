import { buildVersion } from '../compile/build-version.ts'
import { startOfFile } from '../compile/text-position.ts'
import { type PlanSide, planSide } from '../plan/plan-side.ts'
import { versionDiff } from '../plan/version-diff.ts'
import type { ComparedSources, Tasks } from './tasks.ts'

type Output = Tasks['compare']['output']
type Broken = Extract<Output, { problem: unknown }>['problem']

async function sideOf({ files, catalogue: { text, digest } }: ComparedSources): Promise<PlanSide | Broken> {
  const catalogue = { catalogue: JSON.parse(text), text, digest }
  const { problems, version, analysis } = await buildVersion(files, { catalogue, typeCheck: false })
  if (version !== null && analysis !== null) return planSide({ version, analysis }, files, catalogue)
  const message = 'the sources do not compile'
  const first = problems.find(({ severity }) => severity === 'error')
  return first ?? { severity: 'error', code: 'compile', file: 'signalbox.yaml', ...startOfFile, message }
}

/** Builds both versions again and compares what they mean. */
export async function compare({ before, after }: Tasks['compare']['input']): Promise<Output> {
  const old = await sideOf(before)
  if ('severity' in old) return { side: 'before', problem: old }
  const now = await sideOf(after)
  if ('severity' in now) return { side: 'after', problem: now }
  return versionDiff(old, now)
}
