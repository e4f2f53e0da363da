import type { Problem, Severity } from '@signalbox/sdk/contract'
import type { Position } from './text-position.ts'

const messageLengthMax = 4096
/** More problems than anyone reads; the rest is counted. */
const problemsMax = 500

/** What a check has to say about a place in a file. */
export interface Finding {
  /** Kind of the problem: `unknown_fact`. Part of the API of `check --format json`. */
  readonly code: string
  readonly message: string
  readonly severity?: Severity
  /** A text or name that is at fault, for a finding about a larger thing in which it stands. */
  readonly offending?: string
}

/** Problems of a workspace, collected from all checks. */
export class ProblemList {
  #problems: Problem[] = []

  add(file: string, position: Position, { code, message, severity = 'error' }: Finding): void {
    const { line, column } = position
    this.#problems.push({ severity, code, file, line, column, message: message.slice(0, messageLengthMax) })
  }

  addAll(problems: readonly Problem[]): void {
    this.#problems.push(...problems)
  }

  /** Takes back what another check says better. */
  dropWhere(isSuperfluous: (problem: Problem) => boolean): void {
    this.#problems = this.#problems.filter((problem) => !isSuperfluous(problem))
  }

  /** Whether a file was already told of in these words. */
  says(file: string, message: string): boolean {
    return this.#problems.some((each) => each.file === file && each.message === message)
  }

  /** Whether a problem of a kind was told of on a line. */
  has(file: string, line: number, code: string): boolean {
    return this.#problems.some((each) => each.file === file && each.line === line && each.code === code)
  }

  /** Whether something of a kind was found in a file. */
  hasCode(file: string, code: string): boolean {
    return this.#problems.some((each) => each.file === file && each.code === code)
  }

  /** Makes warnings of errors of a kind. */
  soften(code: string): void {
    for (const problem of this.#problems) if (problem.code === code) problem.severity = 'warning'
  }

  /** Whether there is an error in a file, or in any. */
  hasErrors(file?: string): boolean {
    return this.#problems.some(
      (each) => each.severity === 'error' && (file === undefined || each.file === file),
    )
  }

  /** By file and position; what two checks say of the same place in the same words stands once. */
  sorted(): Problem[] {
    const seen = new Set<string>()
    const once = this.#problems.filter(({ file, line, column, message }) => {
      const key = JSON.stringify([file, line, column, message])
      if (seen.has(key)) return false
      seen.add(key)
      return true
    })
    const order = (a: Problem, b: Problem) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column
    return once.sort(order).slice(0, problemsMax)
  }
}
