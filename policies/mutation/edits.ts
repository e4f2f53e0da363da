/** A change of a source, and what it does in words. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  /** `used_ppm >= 5 → used_ppm > 5`. */
  readonly description: string
}
/** One wrong version of a workspace: a file with an edit. */
export interface Mutant extends Edit {
  readonly file: string
  readonly line: number
  readonly column: number
}

const shownMax = 60

function onOneLine(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim()
  return plain.length > shownMax ? `${plain.slice(0, shownMax)}…` : plain
}

/** An edit that is described by what stands there before and after. */
export function replacing(source: string, span: { start: number; end: number }, text: string): Edit {
  const before = onOneLine(source.slice(span.start, span.end))
  return { ...span, text, description: `${before} → ${text === '' ? 'nothing' : onOneLine(text)}` }
}

/** The text with an edit. */
export function applyEdit(source: string, { start, end, text }: Edit): string {
  return source.slice(0, start) + text + source.slice(end)
}

/** Comparisons of numbers: the boundary shifted, and the opposite. */
export const shiftedComparisons: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
}
export const oppositeComparisons: Readonly<Record<string, string>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '===': '!==',
  '!==': '===',
  '==': '!=',
  '!=': '==',
}

/**
 * Another constant in a comparison. For whole numbers one of the neighbours is what shifting the boundary makes
 * already (`> 5` is `>= 6`), so the constant goes the other way.
 */
export function otherNumber(value: number, operator: string): number {
  return operator === '>' || operator === '<=' ? value - 1 : value + 1
}
