import type { Problem } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../built-version.ts'
import { linkOf } from './problem-codes.ts'

const textCharactersMax = 160
/** Lines of `signalbox.yaml` that may hold what was meant to be elsewhere. */
const secretLine = /credential|secret|password|api[-_]?key/i
/** The same of code and data, where these words are also names of detectors and guardrails. */
const secretValue = /(credential|secret|password|api[-_]?key)s?["']?\s*[:=]\s*["'`]?[^\s"'`{[(]{8}/i

/** What stands at a problem's place, to the end of its line; nothing where it may be a secret. */
function textAt(text: string | undefined, { file, line, column }: Problem): string | undefined {
  const found = text?.split('\n', line)[line - 1]
  const secret = file === 'signalbox.yaml' ? secretLine : secretValue
  if (found === undefined || secret.test(found)) return undefined
  const rest = found.slice(column - 1).trimEnd()
  if (rest === '') return undefined
  return rest.length > textCharactersMax ? `${rest.slice(0, textCharactersMax)}…` : rest
}

/** Problems with what stands at their place, and where they are explained. */
export function placedProblems(problems: readonly Problem[], files: SourceFiles): Problem[] {
  return problems.map((problem) => {
    const text = textAt(files.get(problem.file), problem)
    return { ...problem, ...(text !== undefined && { text }), link: linkOf(problem) }
  })
}
