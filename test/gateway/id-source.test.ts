import { validate, version } from 'uuid'
import { expect, it } from 'vitest'
import { createIdSource } from '../../gateway/id-source.ts'

it('ids are UUIDs of version 7, unique and in the order of time', async () => {
  const createId = createIdSource()
  const early = Array.from({ length: 1000 }, createId)
  await new Promise((resolve) => setTimeout(resolve, 2))
  const late = Array.from({ length: 1000 }, createId)
  expect(new Set([...early, ...late]).size).toBe(2000)
  for (const id of early) expect([validate(id), version(id)]).toEqual([true, 7])
  expect((early.toSorted().at(-1) ?? '') < (late.toSorted()[0] ?? '')).toBe(true)
})

it('ids are made of all the random bytes that they are given, a page at a time', () => {
  let pages = 0
  const createId = createIdSource((page) => page.fill(++pages))
  const ids = Array.from({ length: 300 }, createId)
  expect(pages).toBe(2)
  expect(ids[0]?.slice(-10)).toBe('0101010101')
  expect(ids[299]?.slice(-10)).toBe('0202020202')
})
