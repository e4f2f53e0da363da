import { setImmediate } from 'node:timers/promises'
import type { CaseResult, Problem } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { BuiltVersion, SourceFiles } from '../compile/built-version.ts'
import type { Engine } from '../program.ts'
import { CaseError } from './case-facts.ts'
import { CaseRun, type ReadyCase } from './case-run.ts'
import { type CasesFile, parseCasesFile } from './cases-file.ts'
import type { PolicyCoverage } from './coverage.ts'
import { readyGuardrailCases } from './guardrail-cases.ts'
import { readyPolicyCases } from './policy-cases.ts'
import { readyPromptCases } from './prompt-cases.ts'
import { Snapshots } from './snapshots.ts'

type Result = Static<typeof CaseResult>
const casesFile = /^tests\/.*\.cases\.ya?ml$/
const messageCharsMax = 4096
/** Cases that one run evaluates; further ones fail unrun. */
const casesMax = 20_000
/** Time of a run; what is left then fails unrun. */
const runMsMax = 120_000
/** Cases between two turns of the event loop: a program that serves others runs cases too. */
const casesPerTurn = 16

export interface CasesReport {
  /** One per case, in the order of files and cases; an error in a file is a failed case of its own. */
  readonly results: Result[]
  readonly passed: number
  readonly failed: number
  readonly durationMs: number
  /** The most fuel that one evaluation took. */
  readonly fuelMax: number
  /** Per policy and condition, whether a case that asked about the policy saw it true and false. */
  readonly coverage: PolicyCoverage[]
  /** Warnings: a workspace without cases. */
  readonly problems: Problem[]
}
export interface CasesOptions {
  readonly engine: Engine
  readonly catalogue: PinnedCatalogue
  /** Folder of the workspace, to write its snapshots anew instead of comparing them. */
  readonly updateSnapshotsIn?: string
}

function failure(file: CasesFile, about: { name: string; index?: number; message: string }): Result {
  const { line, column } = about.index === undefined ? { line: 1, column: 1 } : file.placeOf(about.index)
  return {
    file: file.path,
    name: about.name,
    passed: false,
    line,
    column,
    message: about.message.slice(0, messageCharsMax),
  }
}

function readyCases(file: CasesFile, run: CaseRun, snapshots: Snapshots): ReadyCase[] {
  const { suite } = file
  if (suite === undefined) return []
  if (suite.kind === 'guardrail') return readyGuardrailCases(suite, run)
  if (suite.kind === 'prompt') return readyPromptCases(suite, run)
  return readyPolicyCases(suite, run, snapshots)
}

function runReady(file: CasesFile, each: ReadyCase): Result {
  const { name, index } = each
  const { line, column } = file.placeOf(index)
  try {
    const found = each.run()
    if (found.length > 0) return failure(file, { name, index, message: found.join('\n') })
    return { file: file.path, name, passed: true, line, column }
  } catch (error) {
    if (!(error instanceof CaseError)) throw error
    return failure(file, { name, index, message: error.message })
  }
}

/** Runs the files one after the other, giving way to others in between. */
class Runner {
  readonly results: Result[] = []
  readonly #run: CaseRun
  readonly #startMs = performance.now()
  #count = 0

  constructor(run: CaseRun) {
    this.#run = run
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs
  }

  /** Why no further case is run; undefined where there is room. */
  #limit(): string | undefined {
    if (this.#count >= casesMax) return `not run: there are more than ${casesMax} cases`
    return this.elapsedMs > runMsMax ? `not run: the cases took more than ${runMsMax} ms` : undefined
  }

  async runFile(file: CasesFile, snapshots: Snapshots): Promise<void> {
    for (const { line, column, message } of file.errors) {
      this.results.push({ file: file.path, name: 'the file is valid', passed: false, line, column, message })
    }
    for (const each of readyCases(file, this.#run, snapshots)) {
      const message = this.#limit()
      if (message !== undefined) {
        this.results.push(failure(file, { name: each.name, index: each.index, message }))
        return
      }
      this.results.push(runReady(file, each))
      if (++this.#count % casesPerTurn === 0) await setImmediate()
    }
  }
}

async function runFile(
  runner: Runner,
  path: string,
  run: CaseRun,
  folder: string | undefined,
): Promise<void> {
  const file = parseCasesFile(path, run.files.get(path) ?? '')
  try {
    const snapshots = new Snapshots(path, run.files, { update: folder !== undefined })
    await runner.runFile(file, snapshots)
    if (folder !== undefined) await snapshots.store(folder)
  } catch (error) {
    if (!(error instanceof CaseError)) throw error
    runner.results.push(failure(file, { name: 'the file is valid', message: error.message }))
  }
}

function warningsOf(results: readonly Result[]): Problem[] {
  if (results.length > 0) return []
  const message = 'The workspace has no cases: nothing shows that its policies do what they should.'
  return [{ severity: 'warning', code: 'noCases', file: 'signalbox.yaml', line: 1, column: 1, message }]
}

/**
 * Runs every `tests/**\/*.cases.yaml` of a workspace in the production engine. A broken file, an unknown
 * policy or path fails with its place; nothing that a workspace contains makes this throw.
 */
export async function runCases(
  version: BuiltVersion,
  files: SourceFiles,
  options: CasesOptions,
): Promise<CasesReport> {
  const { engine, catalogue, updateSnapshotsIn } = options
  const run = new CaseRun(version, files, { engine, catalogue: indexCatalogue(catalogue.catalogue) })
  const runner = new Runner(run)
  try {
    const paths = [...files.keys()].filter((path) => casesFile.test(path)).sort()
    for (const path of paths) await runFile(runner, path, run, updateSnapshotsIn)
  } finally {
    run.dispose()
  }
  const { results } = runner
  const passed = results.filter((result) => result.passed).length
  return {
    results,
    passed,
    failed: results.length - passed,
    durationMs: Math.round(runner.elapsedMs),
    fuelMax: run.fuelMax,
    coverage: run.coverage.report(version.compiled),
    problems: warningsOf(results),
  }
}
