import { expect, it } from 'vitest'
import { tableRows, textOf } from '../../architecture/documented-names.ts'
import { measureDetectors, precisionOf, qualityTable, recallOf } from '../../support/detector-quality.ts'

const { rows, texts } = measureDetectors()

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
