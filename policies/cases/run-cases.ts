import { setImmediate } from 'node:timers/promises'
import type { CaseResult, Problem } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { SourceFiles } from '../compile/built-version.ts'
import type { DocumentPath } from '../compile/source-document.ts'
import type { Engine } from '../program.ts'
import { CaseError } from './case-facts.ts'
import { CaseRun, environmentDefault, type ReadyCase, type TestedVersion } from './case-run.ts'
import { type CasesFile, parseCasesFile, type Suite } from './cases-file.ts'
import type { PolicyCoverage } from './coverage.ts'
import { declaredIn } from './declared-reasons.ts'
import type { FuelFigures } from './fuel-counter.ts'
import { readyGuardrailCases } from './guardrail-cases.ts'
import { readyPolicyCases } from './policy-cases.ts'
import { readyPromptCases } from './prompt-cases.ts'
import { orphanedSnapshots, removeSnapshots, Snapshots } from './snapshots.ts'

type Result = Static<typeof CaseResult>
/** Name of the case that a broken file counts as. */
export const validFile = 'the file is valid'
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
  /** Cases that their authors have yet to write. */
  readonly todo: number
  readonly durationMs: number
  /** The most fuel that one evaluation took. */
  readonly fuelMax: number
  /** What evaluations cost, by the policy that was asked. */
  readonly fuel: FuelFigures[]
  /** Per policy, guardrail and prompt, what cases that asked about it saw. */
  readonly coverage: PolicyCoverage[]
  /** Warnings: a workspace without cases, snapshots that no case asks for. */
  readonly problems: Problem[]
}
export interface CasesOptions {
  readonly engine: Engine
  readonly catalogue: PinnedCatalogue
  /** Folder of the workspace, to write its snapshots anew instead of comparing them. */
  readonly updateSnapshotsIn?: string
  /** Which cases are run; all if left out. */
  readonly only?: (suite: Suite, index: number) => boolean
  /** Whether to work out coverage; on unless turned off. */
  readonly coverage?: boolean
  /** Ends the run at the first case that fails. */
  readonly bail?: boolean
}

interface About {
  readonly name: string
  readonly index?: number
  readonly message: string
  readonly path?: DocumentPath
}

function failure(file: CasesFile, about: About): Result {
  const { line, column } = file.placeOf(about.index, about.path)
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
  if (file.suite?.cases[index]?.todo !== undefined) {
    return { file: file.path, name, passed: true, line, column, todo: true }
  }
  try {
    const found = each.run()
    if (found.length > 0) return failure(file, { name, index, message: found.join('\n') })
    return { file: file.path, name, passed: true, line, column }
  } catch (error) {
    if (!(error instanceof CaseError)) throw error
    return failure(file, { name, index, message: error.message, path: error.path })
  }
}

/** Runs the files one after the other, giving way to others in between. */
class Runner {
  readonly results: Result[] = []
  readonly problems: Problem[] = []
  readonly #run: CaseRun
  readonly #options: CasesOptions
  readonly #startMs = performance.now()
  #count = 0

  constructor(run: CaseRun, options: CasesOptions) {
    this.#run = run
    this.#options = options
  }

  /** A case failed, and that is all that was asked for. */
  get isOver(): boolean {
    return this.#options.bail === true && this.results.some(({ passed }) => !passed)
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
      this.results.push({
        file: file.path,
        name: validFile,
        passed: false,
        line,
        column,
        message,
      })
    }
    const { only } = this.#options
    for (const each of readyCases(file, this.#run, snapshots)) {
      if (only !== undefined && file.suite !== undefined && !only(file.suite, each.index)) continue
      const message = this.#limit()
      if (message !== undefined) {
        this.results.push(failure(file, { name: each.name, index: each.index, message }))
        return
      }
      this.results.push(runReady(file, each))
      if (this.isOver) return
      if (++this.#count % casesPerTurn === 0) await setImmediate()
    }
  }
}

function staleWarning(file: string, message: string): Problem {
  return { severity: 'warning', code: 'staleSnapshot', file, line: 1, column: 1, message }
}

async function runFile(
  runner: Runner,
  file: CasesFile,
  run: CaseRun,
  { updateSnapshotsIn: folder, only }: CasesOptions,
): Promise<void> {
  try {
    const snapshots = new Snapshots(file.path, run.files, { update: folder !== undefined })
    await runner.runFile(file, snapshots)
    if (folder !== undefined) await snapshots.store(folder)
    else if (only === undefined && !runner.isOver && snapshots.stale.length > 0) {
      const names = snapshots.stale.slice(0, 3).join('", "')
      const message = `${snapshots.stale.length} snapshots of no case ("${names}"); -u removes them`
      runner.problems.push(staleWarning(snapshots.path, message))
    }
  } catch (error) {
    if (!(error instanceof CaseError)) throw error
    runner.results.push(failure(file, { name: validFile, message: error.message, path: error.path }))
  }
}

async function runFiles(runner: Runner, run: CaseRun, options: CasesOptions): Promise<void> {
  const { updateSnapshotsIn: folder, only } = options
  const paths = [...run.files.keys()].filter((path) => casesFile.test(path)).sort()
  for (const path of paths) {
    const file = parseCasesFile(path, run.files.get(path) ?? '')
    const { suite } = file
    const isAsked =
      only === undefined || suite === undefined || suite.cases.some((_, index) => only(suite, index))
    if (isAsked) await runFile(runner, file, run, options)
    if (runner.isOver) return
  }
  if (only !== undefined) return
  const orphaned = orphanedSnapshots(run.files, paths)
  if (folder !== undefined) await removeSnapshots(folder, orphaned)
  else
    for (const path of orphaned)
      runner.problems.push(staleWarning(path, 'no cases file has these snapshots; -u removes them'))
}

function warningsOf(results: readonly Result[], options: CasesOptions): Problem[] {
  if (results.length > 0 || options.only !== undefined) return []
  const message = 'The workspace has no cases: nothing shows that its policies do what they should.'
  return [{ severity: 'warning', code: 'noCases', file: 'signalbox.yaml', line: 1, column: 1, message }]
}

function coverageOf(run: CaseRun): PolicyCoverage[] {
  return run.coverage.report(run.compiled, declaredIn(run, environmentDefault))
}

/**
 * Runs every `tests/**\/*.cases.yaml` of a workspace in the production engine. A broken file, an unknown
 * policy or path fails with its place; nothing that a workspace contains makes this throw.
 */
export async function runCases(
  version: TestedVersion,
  files: SourceFiles,
  options: CasesOptions,
): Promise<CasesReport> {
  const { engine, catalogue } = options
  const run = new CaseRun(version, files, { engine, catalogue: indexCatalogue(catalogue.catalogue) })
  const runner = new Runner(run, options)
  try {
    await runFiles(runner, run, options)
    const { results } = runner
    const todo = results.filter((result) => result.todo === true).length
    const failed = results.filter((result) => !result.passed).length
    return {
      results,
      passed: results.length - failed - todo,
      failed,
      todo,
      durationMs: Math.round(runner.elapsedMs),
      fuelMax: run.fuel.max,
      fuel: run.fuel.report(),
      coverage: options.coverage === false ? [] : coverageOf(run),
      problems: [...warningsOf(results, options), ...runner.problems],
    }
  } finally {
    run.dispose()
  }
}
