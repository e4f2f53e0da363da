import { beforeAll, expect, it } from 'vitest'
import { checkBlocks, checkLeaks } from '../../support/leak-check.ts'
import { LeakRig } from './leak-rig.ts'

let rig: LeakRig
beforeAll(async () => {
  rig = await LeakRig.create()
})

it('no byte of a match goes out, however a stream is cut, wherever it stands, in every dialect', () => {
  const { matches, leaks, others } = checkLeaks(rig, 2000, 7)
  expect(matches).toBeGreaterThan(1999)
  expect(leaks).toEqual([])
  expect(others).toEqual([])
}, 120_000)

it('nor where it begins in one block of an answer and ends in another', () => {
  const { matches, leaks } = checkBlocks(rig, 200, 3)
  expect(matches).toBeGreaterThan(199)
  expect(leaks).toEqual([])
}, 60_000)
