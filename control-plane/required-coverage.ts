import { buildWarm, coverageProblems, readRequiredCoverage } from '@signalbox/policies'
import { CheckRefusal, type RequestContext } from './handler.ts'
import { loadSources, type PublishTools } from './publish.ts'
import type { VersionSources } from './try-files.ts'

/**
 * A version goes into an environment that asks for coverage (`environments.NAME.coverage`) only where its cases have
 * it, whichever way it comes: `push --env` looks at the cases it has just run, this runs those of a stored version
 * again. Rolling back asks for nothing: what ran before may run again.
 * @throws CheckRefusal with the figures and what no case saw; Refusal `not_found`, `not_ready`.
 */
export async function requireCoverage(
  tools: PublishTools,
  sources: VersionSources,
  { organisationId }: RequestContext,
  { version, environment }: { readonly version: string; readonly environment: string },
): Promise<void> {
  const files = loadSources([...(await sources.load(organisationId, version))])
  if (readRequiredCoverage(files, environment) === undefined) return
  const options = { catalogue: tools.catalogue, typeCheck: false }
  const { result, cases } = await tools.buildGate(() => buildWarm(tools.buildThread, files, options))
  if (cases === null) {
    const message = `Version ${version} does not build here, so the coverage that "${environment}" asks for is not known.`
    throw new CheckRefusal(result.problems, message)
  }
  const missing = coverageProblems(cases.coverage, files, environment)
  const [first] = missing
  if (first !== undefined) throw new CheckRefusal(missing, first.message)
}
