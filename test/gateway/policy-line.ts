import {
  buildVersion,
  createEngine,
  type Engine,
  indexCatalogue,
  loadCatalogue,
  type SourceFiles,
} from '@signalbox/policies'
import { afterAll, beforeAll } from 'vitest'
import { buildLine, type Line } from './line.ts'

/** A line whose gateway decides with the policies of a workspace, in the sandbox. Call it where tests are declared. */
export function buildPolicyLine(files: SourceFiles): Line {
  const line = buildLine()
  let engine: Engine
  beforeAll(async () => {
    const catalogue = loadCatalogue()
    const { version, problems } = await buildVersion(files, { catalogue, typeCheck: false })
    if (version === null) throw new Error(JSON.stringify(problems))
    const { digest, script, compiled } = version
    engine = await createEngine()
    const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment: 'development' })
    const { snapshotOf } = line
    const index = { ...indexCatalogue(catalogue.catalogue), digest: catalogue.digest }
    line.snapshotOf = () => ({
      ...snapshotOf({ program, workspace: compiled, aliases: compiled.models }),
      catalogue: index,
    })
    line.gateway.snapshot = line.snapshotOf()
  })
  afterAll(() => engine.dispose())
  return line
}
