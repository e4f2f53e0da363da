/** One place of generated code and the place in its source. All count from 0. */
export interface Mapping {
  readonly line: number
  readonly column: number
  readonly sourceLine: number
  readonly sourceColumn: number
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base 64 VLQ, as source maps (ECMA-426) write numbers. */
function encodeNumber(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += digits[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}

/** A source map of code that comes from one file. Mappings come in the order of the code. */
export function encodeSourceMap(
  source: { file: string; text: string },
  mappings: readonly Mapping[],
): string {
  const lines: string[][] = []
  let before: Mapping = { line: 0, column: 0, sourceLine: 0, sourceColumn: 0 }
  for (const mapping of mappings) {
    while (lines.length <= mapping.line) {
      lines.push([])
      before = { ...before, column: 0 }
    }
    const segment = [
      mapping.column - before.column,
      0,
      mapping.sourceLine - before.sourceLine,
      mapping.sourceColumn - before.sourceColumn,
    ]
    lines[mapping.line]?.push(segment.map(encodeNumber).join(''))
    before = mapping
  }
  return JSON.stringify({
    version: 3,
    sources: [source.file],
    sourcesContent: [source.text],
    names: [],
    mappings: lines.map((segments) => segments.join()).join(';'),
  })
}
