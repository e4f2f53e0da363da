import { beforeAll, expect, it } from 'vitest'
import { checkLeaks } from '../../support/leak-check.ts'
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
