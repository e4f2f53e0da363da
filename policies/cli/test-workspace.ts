import {
  type BuiltVersion,
  buildVersion,
  type CasesReport,
  coverageProblems,
  createEngine,
  type Engine,
  loadCatalogue,
  type MutationReport,
  type PinnedCatalogue,
  type PolicyCoverage,
  runCases,
  runMutants,
  runProperties,
  type SourceFiles,
  shortfalls,
  sourcesOf,
} from '@signalbox/policies'
import type { ProblemDetail } from '@signalbox/sdk'
import { changedFiles } from './changed-files.ts'
import { githubAnnotations } from './check-formats.ts'
import { Failure } from './context.ts'
import type { Output } from './output.ts'
import { reportProblems } from './problems.ts'
import type { TestOptions } from './test-options.ts'

/** The document of `signalbox test --json`. */
export interface TestReport extends CasesReport {
  /** Facts that were tried for all properties together. */
  readonly propertyRuns: number
  /** What keeps the run from passing beside failed cases: figures below what was asked for, nothing to run. */
  readonly refusals: readonly ProblemDetail[]
  readonly mutants?: MutationReport
}
interface TestedFolder {
  readonly folder: string
  readonly files: SourceFiles
  readonly options: TestOptions
  readonly output: Output
}
interface Around {
  readonly version: BuiltVersion
  readonly engine: Engine
  readonly catalogue: PinnedCatalogue
}

/** Definitions that a change touches: they, or files that they import. Undefined where Git cannot tell. */
function changedDefinitions({ folder, files, options, output }: TestedFolder, { version }: Around) {
  if (options.changedOnly === undefined) return undefined
  const reference = options.changedOnly === true ? 'HEAD' : options.changedOnly
  const changed = changedFiles(folder, reference)
  if (changed === undefined) {
    output.note(`Git knows no changes since ${reference} here: all policies count.`)
    return undefined
  }
  const { policies, guardrails, prompts } = version.compiled
  const definitions = [...policies, ...guardrails, ...prompts].map(({ file }) => file)
  const sources = sourcesOf(files, definitions)
  return new Set(
    definitions.filter((file) => [...(sources.get(file) ?? [])].some((each) => changed.has(each))),
  )
}

function refusal(message: string, code: string): ProblemDetail {
  return { severity: 'error', code, file: 'signalbox.yaml', line: 1, column: 1, message }
}

function refusalsOf(
  tested: TestedFolder,
  coverage: readonly PolicyCoverage[],
  empty: boolean,
): ProblemDetail[] {
  const { files, options } = tested
  const below = shortfalls(coverage, options.min ?? {}).map((message) => refusal(message, 'coverage'))
  const gate = options.env === undefined ? [] : coverageProblems(coverage, files, options.env)
  const asked = gate.filter(({ severity }) => severity === 'error')
  const nothing = empty && options.failOnEmpty ? [refusal('there is nothing to run', 'noCases')] : []
  return [...nothing, ...below, ...asked]
}

/** A bar as long as the work that is done. */
function bar(done: number, all: number): string {
  const width = 24
  const filled = Math.round((done / Math.max(1, all)) * width)
  return `mutants [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${all}`
}

async function mutate(
  { files, options, output }: TestedFolder,
  around: Around,
  changed: ReadonlySet<string> | undefined,
): Promise<MutationReport> {
  const { version, engine, catalogue } = around
  const report = await runMutants(version, files, {
    engine,
    catalogue,
    timeLimitMs: options.mutateSeconds * 1000,
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.runs !== undefined && { runs: options.runs }),
    wanted: (file) => changed?.has(file) ?? true,
    onProgress: (done, all) => output.progress(bar(done, all)),
  })
  output.progress('')
  return report
}

async function runAll(tested: TestedFolder, around: Around): Promise<TestReport> {
  const { folder, files, options, output } = tested
  const { version, engine, catalogue } = around
  const update = options.update === true ? { updateSnapshotsIn: folder } : {}
  const cases = await runCases(version, files, { engine, catalogue, ...update })
  const properties = await runProperties(version, files, {
    engine,
    catalogue,
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.runs !== undefined && { runs: options.runs }),
  })
  const failed = properties.results.filter(({ passed }) => !passed).length
  const changed = changedDefinitions(tested, around)
  const coverage = cases.coverage.filter(({ file }) => changed?.has(file) ?? true)
  const results = [...cases.results, ...properties.results]
  const report: TestReport = {
    ...cases,
    results,
    passed: cases.passed + properties.results.length - failed,
    failed: cases.failed + failed,
    durationMs: cases.durationMs + properties.durationMs,
    coverage,
    propertyRuns: properties.runs,
    refusals: refusalsOf(tested, coverage, results.length === 0),
  }
  if (options.mutate !== true) return report
  if (report.failed === 0) return { ...report, mutants: await mutate(tested, around, changed) }
  output.note('No mutants are made while cases fail: nobody could tell which of them noticed.')
  return report
}

/**
 * Builds a workspace and runs everything that tests it, in the engine that gateways run.
 * @throws Failure where it does not build, which is reported.
 */
export async function testWorkspace(tested: TestedFolder): Promise<TestReport> {
  const catalogue = loadCatalogue()
  const { problems, version } = await buildVersion(tested.files, { catalogue, anyPlan: true })
  const { folder, options, output } = tested
  if (options.format === 'github') for (const line of githubAnnotations(problems, folder)) output.line(line)
  reportProblems(problems, output)
  if (version === null) throw new Failure('the workspace does not compile', 'check_failed')
  const engine = await createEngine()
  try {
    return await runAll(tested, { version, engine, catalogue })
  } finally {
    engine.dispose()
  }
}
