import type { Problem } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../built-version.ts'
import { parseJsonDocument } from '../json-document.ts'
import { didYouMean } from '../near-name.ts'
import type { Finding, ProblemList } from '../problem-list.ts'
import { DocumentError, type SourceDocument } from '../source-document.ts'
import type { Position } from '../text-position.ts'
import { problemCodes } from './problem-codes.ts'

/** A finding that an author wants at its place, with the reason. */
interface Allowance {
  readonly file: string
  readonly code: string
  /** Where it is written. */
  readonly position: Position
  readonly from: Position
  readonly to: Position
}

/** `// signalbox-allow shadowed_rule: kept until May` on a line of its own, `#` in YAML. */
const comment = /^\s*(?:\/\/|#)\s*signalbox-allow\b\s*(\S*?)(?::\s*(.*))?$/
const lineComment = /^\s*(\/\/|#)/
const codeFiles = /\.(ts|ya?ml)$/
const jsonFiles = /\.(policy|guardrail)\.json$/
const endOfLine = Number.MAX_SAFE_INTEGER

function isBefore(one: Position, other: Position): boolean {
  return one.line < other.line || (one.line === other.line && one.column <= other.column)
}

function covers({ file, code, from, to }: Allowance, problem: Problem): boolean {
  const isHere = isBefore(from, problem) && isBefore(problem, to)
  return isHere && file === problem.file && code === problem.code && problem.severity !== 'error'
}

function findingIn(code: string, reason: string | undefined): Finding | undefined {
  if (!problemCodes.includes(code)) {
    const message = `"${code}" is no code of a finding${didYouMean(code, problemCodes)}`
    return { code: 'unknown_code', message }
  }
  if (reason !== undefined && reason.trim() !== '') return undefined
  return { code: 'allow', message: `a finding is allowed with a reason: signalbox-allow ${code}: why` }
}

/** Comments of a file; each is for the next line that is no comment. */
function fromComments(file: string, text: string, problems: ProblemList): Allowance[] {
  if (!text.includes('signalbox-allow')) return []
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const match = comment.exec(line)
    if (match === null) return []
    const [, code = '', reason] = match
    const position = { line: index + 1, column: line.search(/\S/) + 1 }
    const finding = findingIn(code, reason)
    if (finding !== undefined) {
      problems.add(file, position, finding)
      return []
    }
    const next = lines.findIndex((each, at) => at > index && each.trim() !== '' && !lineComment.test(each))
    const at = next === -1 ? index + 1 : next + 1
    return [{ file, code, position, from: { line: at, column: 1 }, to: { line: at, column: endOfLine } }]
  })
}

function listedIn(
  document: SourceDocument,
  path: readonly (string | number)[],
  problems: ProblemList,
): Allowance[] {
  const owner: unknown = path.reduce<unknown>((value, part) => Object(value)[part], document.value)
  const listed: unknown = Object(owner).allow
  if (!Array.isArray(listed)) return []
  const { file } = document
  const { start, end } = document.extentOf(path)
  return listed.flatMap((each, index) => {
    const { code, reason } = Object(each)
    // What is none was reported by the schema.
    if (typeof code !== 'string' || typeof reason !== 'string') return []
    const finding = findingIn(code, reason)
    const position = document.locate([...path, 'allow', index, 'code'])
    if (finding !== undefined) problems.add(file, position, finding)
    return finding === undefined ? [{ file, code, position, from: start, to: end }] : []
  })
}

/** Members `allow` of a policy, of its rules, of a guardrail. */
function fromJson(file: string, text: string, problems: ProblemList): Allowance[] {
  if (!text.includes('"allow"')) return []
  try {
    const document = parseJsonDocument(file, text)
    const rules: unknown = Object(document.value).rules
    const paths = Array.isArray(rules) ? rules.map((_, index) => ['rules', index]) : []
    return [[], ...paths].flatMap((path) => listedIn(document, path, problems))
  } catch (error) {
    // Told of where the file is compiled.
    if (error instanceof DocumentError) return []
    throw error
  }
}

/**
 * Takes back warnings and notes that the sources allow at their place; errors stay. Reports allowances of codes that
 * there are not, that have no reason, or that nothing needs.
 */
export function applyAllowances(files: SourceFiles, problems: ProblemList): void {
  const allowances = [...files].flatMap(([file, text]) =>
    codeFiles.test(file) && !file.startsWith('tests/')
      ? fromComments(file, text, problems)
      : jsonFiles.test(file)
        ? fromJson(file, text, problems)
        : [],
  )
  const used = new Set<Allowance>()
  problems.dropWhere((problem) => {
    const mine = allowances.filter((allowance) => covers(allowance, problem))
    for (const allowance of mine) used.add(allowance)
    return mine.length > 0
  })
  if (problems.hasErrors()) return
  for (const allowance of allowances) {
    if (used.has(allowance)) continue
    const message = `nothing here is told of as ${allowance.code}: take the allowance out`
    problems.add(allowance.file, allowance.position, { code: 'unused_allow', severity: 'warning', message })
  }
}
