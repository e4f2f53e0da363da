import { expect, it } from 'vitest'
import { planPull } from '../../../policies/cli/pull-plan.ts'

const lines = (...texts: readonly string[]) => `${texts.join('\n')}\n`
const base = lines('one', 'two', 'three', 'four', 'five')
const there = base.replace('five', 'FIVE')
const files = (entries: Readonly<Record<string, string>>) => new Map(Object.entries(entries))
const plan = (
  here: Readonly<Record<string, string>>,
  deployed: Readonly<Record<string, string>>,
  known: { base?: Readonly<Record<string, string>>; committed?: readonly string[] } = {},
) =>
  planPull(files(here), files(deployed), {
    base: files(known.base ?? {}),
    isCommitted: (path) => known.committed?.includes(path) === true,
  })
const nothing = { steps: [], conflicts: [], onlyHere: [] }

it('writes what is missing, and leaves what is the same', () => {
  expect(plan({ a: base }, { a: base, b: 'new' })).toEqual({
    ...nothing,
    steps: [{ path: 'b', does: 'write', text: 'new' }],
  })
})

it('replaces what is as the edit found it, and what Git has', () => {
  const steps = [{ path: 'a', does: 'write', text: there }]
  expect(plan({ a: base }, { a: there }, { base: { a: base } })).toEqual({ ...nothing, steps })
  expect(plan({ a: 'other' }, { a: there }, { committed: ['a'] })).toEqual({ ...nothing, steps })
})

it('merges what was changed here and there in different places', () => {
  const here = base.replace('one', 'ONE')
  const merged = there.replace('one', 'ONE')
  for (const committed of [[], ['a']]) {
    expect(plan({ a: here }, { a: there }, { base: { a: base }, committed })).toEqual({
      ...nothing,
      steps: [{ path: 'a', does: 'merge', text: merged }],
    })
  }
})

it('writes nothing over a change in the same place, nor over a file that nobody else knows', () => {
  const conflict = { ...nothing, conflicts: ['a'] }
  expect(plan({ a: base.replace('five', '5') }, { a: there }, { base: { a: base } })).toEqual(conflict)
  expect(plan({ a: 'mine' }, { a: there })).toEqual(conflict)
})

it('does not bring back what was deleted here, unless it was changed there', () => {
  expect(plan({}, { a: base }, { base: { a: base } })).toEqual(nothing)
  expect(plan({}, { a: there }, { base: { a: base } })).toEqual({ ...nothing, conflicts: ['a'] })
})

it('removes what was deleted there and not changed here; what is only here stays', () => {
  expect(plan({ a: base, b: 'mine' }, {}, { base: { a: base } })).toEqual({
    ...nothing,
    steps: [{ path: 'a', does: 'remove', text: null }],
    onlyHere: ['b'],
  })
})
