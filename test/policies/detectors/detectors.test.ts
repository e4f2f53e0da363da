import { readFileSync } from 'node:fs'
import { detectors } from '@signalbox/policies'
import { detectorIds, detectorKinds } from '@signalbox/sdk/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const all = detectorIds.map((id) => detectors[id])
const labelled = detectorIds.flatMap((id) => {
  const file = new URL(`../../fixtures/detectors/${id}.ndjson`, import.meta.url)
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line): string => JSON.parse(line).text)
})

/** Findings that are out of place, out of order, or of a kind that the contract does not know. */
function faultsIn(text: string): string[] {
  return all.flatMap((detector) => {
    const kinds: readonly string[] = detectorKinds[detector.id]
    let last = 0
    return detector.scan(text).findings.flatMap(({ kind, start, end, ...rest }) => {
      const inPlace = start >= last && end > start && end <= text.length
      last = end
      const isKnown = kinds.includes(kind) && Object.keys(rest).every((name) => name === 'scheme')
      return inPlace && isKnown ? [] : [`${detector.id} ${kind} ${start}-${end} of ${text.length}`]
    })
  })
}

describe('detectors', () => {
  it('have the kinds of the contract, each with its longest match', () => {
    for (const detector of all) {
      expect(detector.kinds).toEqual(detectorKinds[detector.id])
      expect(Object.keys(detector.lookBehind).sort()).toEqual([...detectorKinds[detector.id]].sort())
      expect([...detectorKinds[detector.id]]).toEqual([...detectorKinds[detector.id]].sort())
    }
  })

  it('give places in order, within the text and without overlaps, in every labelled text and all of them together', () => {
    expect([...labelled, labelled.join('\n')].flatMap(faultsIn)).toEqual([])
  })

  it('give places within the text whatever the text', () => {
    const bits = fc.constantFrom(
      ...['1', '12', '@', 'a', 'DE', ' ', '-', '.', ':', '://', 'eyJ', 'sk-', 'ignore'],
    )
    const more = fc.constantFrom(
      '```\n',
      '\n',
      '+49',
      'secret=',
      '(',
      ')',
      'é',
      '\ud83d',
      'ß',
      '忽略',
      'Calle ',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, more, fc.string()), { maxLength: 60 }), (parts) => {
        expect(faultsIn(parts.join(''))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('have no match longer than they say, so that a stream that keeps so much back lets none through', () => {
    const longer = labelled.flatMap((text) =>
      [detectors.pii, detectors.secrets, detectors.injection].flatMap((detector) => {
        const longest: Readonly<Record<string, number>> = detector.lookBehind
        return detector
          .scan(text)
          .findings.filter(({ kind, start, end }) => end - start > (longest[kind] ?? 0))
          .map(({ kind }) => `${detector.id} ${kind}`)
      }),
    )
    expect(longer).toEqual([])
  })

  it('find the same whatever stands before it', () => {
    const before = 'The trains of the line run twice an hour. '.repeat(30)
    for (const text of ['write to ann@example.org', 'key ghp_a8F3kd92LkdP03mfKs82hdQ0zMx71BvTyuIo']) {
      for (const detector of [detectors.pii, detectors.secrets]) {
        const moved = detector.scan(`${before}${text}`).findings.map(({ start, end, ...rest }) => ({
          ...rest,
          start: start - before.length,
          end: end - before.length,
        }))
        expect(moved).toEqual(detector.scan(text).findings)
      }
    }
  })

  it('name the scheme of a national id and of a vendor', () => {
    expect(detectors.pii.scan('DNI 12345678Z').findings[0]).toMatchObject({
      scheme: 'es-dni',
      start: 4,
      end: 13,
    })
  })

  it('stop at a limit of findings', () => {
    expect(detectors.pii.scan('a@b.org '.repeat(3000)).findings).toHaveLength(1000)
  })
})
