import { type Position, TextPositions } from './text-position.ts'

/**
 * Where a text or a name of a definition is written, from the definition's own place on: as a string, else as the name
 * of a member. The definition's place where it is not written there, as what code puts together.
 */
export function offendingPlace(
  source: string | undefined,
  offending: string | undefined,
  from: Position,
): Position {
  if (source === undefined || offending === undefined) return from
  const positions = new TextPositions(source)
  const start = positions.startOf(from.line) + from.column - 1
  const json = JSON.stringify(offending)
  const written = [json, `'${json.slice(1, -1)}'`, `'${offending}'`, `${offending}:`]
  const offsets = written.map((each) => source.indexOf(each, start)).filter((offset) => offset !== -1)
  return offsets.length === 0 ? from : positions.at(Math.min(...offsets))
}
