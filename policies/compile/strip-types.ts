import { stripTypeScriptTypes } from 'node:module'
import { DocumentError } from './source-document.ts'
import { startOfFile } from './text-position.ts'

/**
 * Node warns once that the function is experimental. It is the stripper that runs our own sources, and the line would
 * stand in the middle of every `signalbox check`.
 */
function withoutWarning<Result>(action: () => Result): Result {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return action()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Node shows the place of a syntax error above the stack: `:line`, the line, and carets under the place. */
function placeOf(error: Error) {
  const lines = (error.stack ?? '').split('\n')
  const line = /^:(\d+)$/.exec(lines[0] ?? '')?.[1]
  const carets = lines.slice(1, 6).find((each) => /^\s*\^+\s*$/.test(each))
  return line === undefined || carets === undefined
    ? startOfFile
    : { line: Number(line), column: carets.indexOf('^') + 1 }
}

/**
 * JavaScript of a TypeScript file: types become blanks, so every offset stays what it was.
 * Throws DocumentError where it is no TypeScript, or uses what is more than types (`enum`, `namespace`).
 */
export function stripTypes(text: string): string {
  try {
    const stripped = withoutWarning(() => stripTypeScriptTypes(text))
    if (stripped.length === text.length) return stripped
    throw new DocumentError('this file mixes types and characters in a way that cannot be read')
  } catch (error) {
    if (error instanceof DocumentError || !(error instanceof Error)) throw error
    throw new DocumentError(error.message, placeOf(error))
  }
}
