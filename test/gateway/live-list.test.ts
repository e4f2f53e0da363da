import { expect, test } from 'vitest'
import { LiveList } from '../../gateway/live-list.ts'

const named = (name: string) => ({ name, slot: 0 })

function namesIn(list: LiveList<ReturnType<typeof named>>): string[] {
  const names: string[] = []
  list.visit((item) => names.push(item.name))
  return names.toSorted()
}

test('holds what was added and not deleted', () => {
  const list = new LiveList<ReturnType<typeof named>>()
  const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')]
  for (const item of [a, b, c]) list.add(item)
  list.delete(a)
  list.add(d)
  list.delete(c)
  expect(namesIn(list)).toEqual(['b', 'd'])
  expect(list.size).toBe(2)
})

test('deletes an item once, whoever has its place now', () => {
  const list = new LiveList<ReturnType<typeof named>>()
  const [a, b] = [named('a'), named('b')]
  list.add(a)
  list.add(b)
  list.delete(a)
  list.delete(a)
  expect(namesIn(list)).toEqual(['b'])
  list.delete(b)
  list.delete(b)
  expect(list.size).toBe(0)
  list.add(a)
  expect(namesIn(list)).toEqual(['a'])
})

test('visits every item that stays, though each visited one goes', () => {
  const list = new LiveList<ReturnType<typeof named>>()
  const items = Array.from({ length: 50 }, (_, index) => named(String(index)))
  for (const item of items) list.add(item)
  const visited = new Set<string>()
  list.visit((item) => {
    visited.add(item.name)
    list.delete(item)
  })
  expect(visited.size).toBe(50)
  expect(list.size).toBe(0)
})
