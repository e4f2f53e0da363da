import { type AuditRow, findBrokenAuditRow, firstPreviousHash, hashAuditRow } from '@signalbox/sdk/node'
import { expect, test } from 'vitest'

function chain(length: number): AuditRow[] {
  const rows: AuditRow[] = []
  for (let sequence = 1; sequence <= length; sequence++) {
    const content = {
      organisationId: 'org',
      sequence,
      timeMs: 1000 + sequence,
      actor: 'root',
      action: 'createKey',
      object: `key ${sequence}`,
      detail: { name: `n${sequence}`, nested: { b: 1, a: [null, true] } },
      previousHash: rows.at(-1)?.hash ?? firstPreviousHash,
    }
    rows.push({ ...content, hash: hashAuditRow(content) })
  }
  return rows
}

test('a chain as it was written holds', () => {
  expect(findBrokenAuditRow(chain(5))).toBeNull()
  expect(findBrokenAuditRow([])).toBeNull()
})

test.each<[string, (rows: AuditRow[]) => AuditRow[], number]>([
  ['a changed member', (rows) => rows.map((row) => (row.sequence === 3 ? { ...row, actor: 'x' } : row)), 3],
  ['a changed detail', (rows) => rows.map((row) => (row.sequence === 2 ? { ...row, detail: {} } : row)), 2],
  ['a row left out', (rows) => rows.filter((row) => row.sequence !== 3), 3],
  ['a first row left out', (rows) => rows.slice(1), 1],
  ['two rows exchanged', ([a, b, ...rest]) => [b, a, ...rest].flatMap((row) => row ?? []), 1],
  ['a row twice', ([a, ...rest]) => [a, a, ...rest].flatMap((row) => row ?? []), 2],
])('%s is found', (_, change, at) => {
  expect(findBrokenAuditRow(change(chain(5)))).toBe(at)
})

test('a row that was rewritten with its hash breaks the row after it', () => {
  const rows = chain(4).map((row) => {
    if (row.sequence !== 2) return row
    const forged = { ...row, actor: 'nobody' }
    return { ...forged, hash: hashAuditRow(forged) }
  })
  expect(findBrokenAuditRow(rows)).toBe(3)
})

test('the hash covers every member but itself, and does not depend on their order', () => {
  const [row] = chain(1)
  if (row === undefined) throw new Error('no row')
  const reversed = Object.fromEntries(Object.entries(row).reverse()) as unknown
  expect(hashAuditRow(reversed as AuditRow)).toBe(row.hash)
  for (const name of Object.keys(row).filter((each) => each !== 'hash')) {
    const changed = { ...row, [name]: name === 'detail' ? { other: 1 } : 'other' }
    expect(hashAuditRow(changed), name).not.toBe(row.hash)
  }
})
