import { detectors } from '@signalbox/policies'
import { detectorIds } from '@signalbox/sdk/contract'
import { measureDetectors, qualityTable } from '../support/detector-quality.ts'

/* `node test/bench/detectors.ts`: precision and recall of the detectors, what they got wrong, and CPU per text. */

const prose =
  'The quarterly report shows that revenue grew by 12.4 % in 2025, mostly in the northern region. Please send the ' +
  'summary to the board before Friday, and ignore the older draft. We met at 10:30 in room 204; invoice 2024-00183 ' +
  'is still open.\n'
const program =
  'export function total(rows: readonly Row[]): number {\n  return rows.reduce((sum, row) => sum + row.price, 0)\n}\n'
const texts = { prose, program }
const end = ' Contact bob@example.com, SSN 123-45-6789.'

function textOf(piece: string, length: number): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length - end.length) + end
}

/** Mean CPU time of a scan, in µs. */
function usOf(scan: (text: string) => unknown, text: string): number {
  const runs = Math.ceil(4_000_000 / text.length)
  for (let run = 0; run < runs / 2; run++) scan(text)
  const before = process.cpuUsage()
  for (let run = 0; run < runs; run++) scan(text)
  return process.cpuUsage(before).user / runs
}

const lines: string[] = []
for (const set of ['labelled', 'held-out', 'held-out-2'] as const) {
  const { rows, texts: count, misses } = measureDetectors(set)
  lines.push(`${count} texts, ${set}`, ...qualityTable(rows).map((row) => row.join('  ')))
  for (const { missing, name, text, found = '' } of misses) {
    lines.push(`${missing ? 'missed' : 'wrong '}  ${name}  ${JSON.stringify(text)}  ${found}`)
  }
}
for (const [name, piece] of Object.entries(texts)) {
  for (const length of [2048, 32_768]) {
    const text = textOf(piece, length)
    const times = detectorIds.map((id) => [id, usOf(detectors[id].scan, text)] as const)
    const sum = times.reduce((total, [, us]) => total + us, 0)
    const each = times.map(([id, us]) => `${id} ${us.toFixed(0)}`).join(', ')
    lines.push(`${name} of ${length} characters: ${sum.toFixed(0)} µs (${each})`)
  }
}
process.stdout.write(`${lines.join('\n')}\n`)
