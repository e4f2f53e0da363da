import { expect, it } from 'vitest'
import { tableRows, textOf } from '../../architecture/documented-names.ts'
import { measureDetectors, precisionOf, qualityTable, recallOf } from '../../support/detector-quality.ts'

const { rows, texts } = measureDetectors('labelled')

/** What must hold for a kind that is not named here. */
const usual = { precision: 0.95, recall: 0.95 }
const bars: Readonly<Record<string, { precision: number; recall: number }>> = {
  injection: { precision: 0.9, recall: 0.8 },
  'pii address': { precision: 0.9, recall: 0.9 },
  'pii dateOfBirth': { precision: 0.95, recall: 0.9 },
  'pii phone': { precision: 0.9, recall: 0.95 },
  'secrets aws': { precision: 0.95, recall: 0.9 },
}

it('finds what the labelled texts hold, and little else', () => {
  const below = rows.filter((row) => {
    const bar = bars[row.name] ?? usual
    return precisionOf(row) < bar.precision || recallOf(row) < bar.recall
  })
  expect(texts).toBeGreaterThan(1000)
  expect(rows.length).toBeGreaterThan(25)
  expect(below).toEqual([])
})

it('stands in policies/README.md as it was measured', () => {
  expect(tableRows(textOf('policies/README.md'), 'detector and kind', 'labelled')).toEqual(qualityTable(rows))
})

/** By detector, of texts that nobody looked at while the detectors were written. */
const heldOutBars: Readonly<Record<string, { precision: number; recall: number }>> = {
  code: { precision: 0.95, recall: 0.8 },
  injection: { precision: 0.9, recall: 0.78 },
  language: { precision: 0.9, recall: 0.9 },
  pii: { precision: 0.93, recall: 0.95 },
  secrets: { precision: 0.93, recall: 0.9 },
}

it.each([
  ['held-out', 300],
  ['held-out-2', 100],
] as const)('finds most of what the texts of %s hold, and little else', (set, textsMin) => {
  const heldOut = measureDetectors(set)
  expect(heldOut.texts).toBeGreaterThan(textsMin)
  const below = Object.entries(heldOutBars).filter(([detector, bar]) => {
    const own = heldOut.rows.filter(({ name }) => name === detector || name.startsWith(`${detector} `))
    const sum = (of: 'wanted' | 'right' | 'wrong') => own.reduce((total, row) => total + row[of], 0)
    if (own.length === 0) return false
    const all = { name: detector, wanted: sum('wanted'), right: sum('right'), wrong: sum('wrong') }
    return precisionOf(all) < bar.precision || recallOf(all) < bar.recall
  })
  expect(below).toEqual([])
})
