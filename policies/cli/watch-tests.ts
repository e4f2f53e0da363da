import { watch } from 'node:fs'
import {
  changedBetween,
  checkTypes,
  formatCases,
  loadCatalogue,
  loadWorkspaceFolder,
  type SourceFiles,
  type WatchReport,
  WatchSession,
} from '@signalbox/policies'
import type { Output } from './output.ts'
import { formatProblem } from './problems.ts'

/** Editors write a file in several steps; a change counts once they are quiet for this long. */
const quietMs = 40

/** Calls back once a folder is quiet after a change. Gives the function that ends it. */
export function watchFolder(folder: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer)
    timer = setTimeout(changed, quietMs)
  })
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}

function print(what: string, { problems, results, durationMs }: WatchReport, output: Output): void {
  for (const problem of problems) output.note(formatProblem(problem, output))
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (errors > 0) {
    output.line(
      `${output.style('red', `${errors} ${errors === 1 ? 'error' : 'errors'}`)} in ${durationMs} ms`,
    )
    return
  }
  const failed = results.filter(({ passed }) => !passed)
  const todo = results.filter((result) => result.todo === true).length
  const counts = { passed: results.length - failed.length - todo, failed: failed.length, todo: 0 }
  const shown = { results: failed, problems: [], durationMs, ...counts }
  output.line(`${output.style('dim', what)} ${formatCases(shown, { colour: output.colour })}`)
}

/**
 * Tests a workspace after each change: first the policies that changed and the cases about them, then the whole,
 * then the types. A further change ends what is still to come.
 */
export class TestWatch {
  readonly #folder: string
  readonly #output: Output
  readonly #session: WatchSession
  #files: SourceFiles = new Map()
  #turn = 0

  private constructor(folder: string, output: Output, session: WatchSession) {
    this.#folder = folder
    this.#output = output
    this.#session = session
  }

  static async start(folder: string, output: Output): Promise<TestWatch> {
    return new TestWatch(folder, output, await WatchSession.start(loadCatalogue()))
  }

  async #types(files: SourceFiles, turn: number): Promise<void> {
    const startMs = performance.now()
    const problems = await checkTypes(files)
    if (turn !== this.#turn) return
    for (const problem of problems) this.#output.note(formatProblem(problem, this.#output))
    const took = `${Math.round(performance.now() - startMs)} ms`
    const text = problems.length === 0 ? 'right' : this.#output.style('red', `${problems.length} wrong`)
    this.#output.line(`${this.#output.style('dim', 'types')} ${text} in ${took}`)
  }

  /** Reads the folder without a word, so that the next change can be told from it. */
  async learn(): Promise<void> {
    this.#files = await loadWorkspaceFolder(this.#folder).catch(() => new Map<string, string>())
    this.#session.learn(this.#files)
  }

  /**
   * Only what changed and the cases about it: for `dev`, where the push that follows looks at the whole.
   * @returns false where something is wrong, which was told: a push would be refused.
   */
  async lookAtChange(): Promise<boolean> {
    try {
      const files = await loadWorkspaceFolder(this.#folder)
      const changed = changedBetween(this.#files, files)
      this.#files = files
      const quick = changed.size === 0 ? undefined : await this.#session.quick(files, changed)
      if (quick === undefined) return true
      print('changed', quick, this.#output)
      const hasError = quick.problems.some(({ severity }) => severity === 'error')
      return !hasError && quick.results.every(({ passed }) => passed)
    } catch {
      // What is wrong with the folder is told by the push that follows.
      return true
    }
  }

  /** Looks at the folder and says what it finds. Problems of reading the folder are told, not thrown. */
  async look(): Promise<void> {
    const turn = ++this.#turn
    try {
      const files = await loadWorkspaceFolder(this.#folder)
      const changed = changedBetween(this.#files, files)
      if (changed.size === 0) return
      const isFirst = this.#files.size === 0
      this.#files = files
      const quick = isFirst ? undefined : await this.#session.quick(files, changed)
      if (quick !== undefined) print('changed', quick, this.#output)
      if (turn !== this.#turn) return
      const broken = quick?.problems.some(({ severity }) => severity === 'error') === true
      const types = this.#types(files, turn)
      if (!broken) {
        const whole = await this.#session.whole(files)
        if (turn === this.#turn) print('all', whole, this.#output)
      }
      await types
    } catch (error) {
      this.#output.note(error instanceof Error ? error.message : String(error))
    }
  }

  dispose(): void {
    this.#turn++
    this.#session.dispose()
  }
}
