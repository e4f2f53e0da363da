import { detectors } from '@signalbox/policies'
import { detectorIds } from '@signalbox/sdk/contract'
import { expect, it } from 'vitest'

/** Pieces that patterns begin with, go on with, and fail at. */
const pieces = [
  ...[
    'a',
    '1',
    '1 ',
    '1-',
    '1.',
    '1.1.1.',
    '1 1 19',
    '1,',
    '(',
    'a@',
    '@',
    '@a.',
    'a:',
    '::',
    '2001:',
    '+1',
    '+49 ',
  ],
  ...[
    '123-45-',
    'DE12',
    'AA11 ',
    '4111 ',
    '4111 1111 1111 1111 ',
    '12 Baker ',
    '12 A ',
    'Calle ',
    'née le ',
    'A1B2',
  ],
  ...[
    'eyJ',
    'eyJ.',
    'eyJaaaaaaaaaaa.',
    'sk-',
    'sk-a',
    '://',
    'a://a:a',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
  ],
  ...[
    'password: ',
    'password=a1',
    'token:',
    'secret',
    'API KEY ',
    'bearer a1b2c3d4e5f6g7h8 ',
    '=',
    '"a": ',
    '- a',
  ],
  ...[
    'ignore ',
    'ignore all ',
    'ignore previous ',
    'you are now ',
    'show ',
    'send ',
    'system:',
    '<!--',
    '![',
    'act as ',
  ],
  ...[
    '\n',
    '{\n',
    'def ',
    'select ',
    'SELECT a ',
    'const a',
    '```\n',
    '<a',
    '<a b="',
    'public ',
    'import a from ',
    '# a\n',
  ],
  ...['\u200b', '\udb40', 'и', '指', 'ß', 'der die ', '`', ' '],
]
const chars = 102_400
/** CPU of one scan of 100 KiB; the machine of CI may be slow, and quadratic time is not a matter of a factor. */
const msMax = 400
/** Below this the clock says more than the scan. */
const measurableMs = 20
const growthMax = 2.5

/** In one piece: V8 reads joined texts more slowly, which would count as growth. */
const textOf = (piece: string, length: number): string =>
  Buffer.from(piece.repeat(Math.ceil(length / piece.length)).slice(0, length), 'utf16le').toString('utf16le')

/** CPU time of a scan. */
function msOf(scan: (text: string) => unknown, text: string): number {
  const before = process.cpuUsage()
  scan(text)
  return process.cpuUsage(before).user / 1000
}

/** How much longer a text twice as long takes: the shortest of some scans each, as a busy machine only adds. */
function growthOf(scan: (text: string) => unknown, piece: string): number {
  const text = textOf(piece, chars)
  const double = textOf(piece, chars * 2)
  let once = Number.POSITIVE_INFINITY
  let twice = Number.POSITIVE_INFINITY
  for (let run = 0; run < 12; run++) {
    once = Math.min(once, msOf(scan, text))
    twice = Math.min(twice, msOf(scan, double))
    if (run > 0 && twice / once <= growthMax) break
  }
  return twice < measurableMs * 2 ? 0 : twice / once
}

for (const id of detectorIds) {
  it(`${id} takes time in proportion to the text, whatever the text`, { timeout: 120_000 }, () => {
    const { scan } = detectors[id]
    scan(textOf('The train leaves at 10:30. ', chars))
    const slow = pieces.flatMap((piece) => {
      const text = textOf(piece, chars)
      const ms = msOf(scan, text)
      if (ms > msMax) return [`${JSON.stringify(piece)} ${ms} ms`]
      if (ms < measurableMs) return []
      const growth = growthOf(scan, piece)
      return growth > growthMax ? [`${JSON.stringify(piece)} × ${growth.toFixed(2)}`] : []
    })
    expect(slow).toEqual([])
  })
}
