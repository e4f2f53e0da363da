import { runCases } from '../cases/run-cases.ts'
import { buildVersion } from '../compile/build-version.ts'
import { createEngine } from '../start-engine.ts'
import type { Tasks } from './tasks.ts'

/** Builds a version as `push` does, and runs its cases. */
export async function build({
  files,
  catalogue: { text, digest },
  typeCheck,
  runCases: asksCases,
}: Tasks['build']['input']): Promise<Tasks['build']['output']> {
  const catalogue = { catalogue: JSON.parse(text), text, digest }
  const built = await buildVersion(files, { catalogue, typeCheck, overFuel: 'refuse' })
  // Its figures are worked out where they are asked for, and functions do not go from one thread to another.
  const result = { ...built, analysis: null }
  if (result.version === null || !asksCases) return { result, cases: null }
  const engine = await createEngine()
  try {
    return { result, cases: await runCases(result.version, files, { engine, catalogue }) }
  } finally {
    engine.dispose()
  }
}
