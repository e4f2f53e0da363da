import { beforeAll, expect, test } from 'vitest'
import { createMemory, Engine, type EngineCode } from '../../../policies/sandbox/engine.ts'
import { loadEngineCode } from '../../../policies/sandbox/read-engine.ts'

/** All language features that the engine can be asked for, 0 would be none. */
const ALL_INTRINSICS = 0x7ff
const MEMORY_BYTES = 8 * 1024 * 1024
let code: EngineCode

beforeAll(async () => {
  code = await loadEngineCode()
})

/** Its memory, not a copy of it. */
const bytesOf = (engine: Engine) => Buffer.from(engine.memory.buffer)

/** An engine with a context in it, and a way to run scripts there. */
function startedEngine() {
  const engine = new Engine(code, createMemory(MEMORY_BYTES))
  const { exports, memory } = engine
  exports.initialise()
  const runtime = exports.QTS_NewRuntime()
  exports.QTS_RuntimeSetMaxStackSize(runtime, 0) // No limit of QuickJS's own.
  const context = exports.QTS_NewContext(runtime, ALL_INTRINSICS)
  const run = (script: string) => {
    const bytes = memory.write(`${script}\0`, engine.transfer, MEMORY_BYTES) - 1
    const value = exports.QTS_Eval(context, engine.transfer, bytes, engine.transfer + bytes, 0, 0)
    memory.fill(0, engine.transfer, engine.transfer + bytes)
    return exports.QTS_ResolveException(context, value) === 0 ? 'done' : 'thrown'
  }
  return { engine, run }
}

const DIRTY = 'globalThis.kept = []; for (let i = 0; i < 20000; i++) kept.push("x".repeat(i % 100) + i)'

test('restore leaves not one byte of what ran before', () => {
  const { engine, run } = startedEngine()
  const snapshot = engine.takeSnapshot()
  const before = Buffer.from(engine.memory)
  expect(run(DIRTY)).toBe('done')
  expect(bytesOf(engine).equals(before)).toBe(false)
  engine.restore(snapshot)
  // Stack and marks are not part of a snapshot: they are zero after a restore, and were used before the first one.
  before.fill(0, engine.exports.stackEnd.value, engine.exports.heapStart.value)
  expect(bytesOf(engine).equals(before)).toBe(true)
})

test('the second restore of the same snapshot copies only what was written since, and leaves as little', () => {
  const { engine, run } = startedEngine()
  const snapshot = engine.takeSnapshot()
  engine.restore(snapshot)
  const before = Buffer.from(engine.memory)
  for (const script of [
    '1',
    DIRTY,
    '"x".repeat(5e6).slice(1) + [].concat(Array(5e4))',
    'JSON.parse("[1,2]")',
  ]) {
    run(script)
    expect(bytesOf(engine).equals(before)).toBe(false)
    engine.restore(snapshot)
    expect(bytesOf(engine).equals(before)).toBe(true)
  }
})

test('a write that no script can make, into the marks or the part of the host, has everything put back', () => {
  const { engine, run } = startedEngine()
  const snapshot = engine.takeSnapshot()
  engine.restore(snapshot)
  const { marks, pageBytes } = engine.exports
  for (const address of [marks.value, engine.transfer]) {
    run(DIRTY)
    // As a fault in the engine would do it: the marks are cleared, but for that of the page that held the store.
    engine.memory.fill(0, marks.value, marks.value + engine.memory.length / pageBytes.value)
    engine.memory[marks.value + address / pageBytes.value] = 1
    engine.restore(snapshot)
    const { engine: sound } = startedEngine()
    sound.restore(snapshot)
    expect(bytesOf(engine).equals(sound.memory)).toBe(true)
  }
})

test('a snapshot put into a fresh instance gives the same memory', () => {
  const { engine, run } = startedEngine()
  run(DIRTY)
  const snapshot = engine.takeSnapshot()
  engine.restore(snapshot)
  const fresh = new Engine(code, createMemory(MEMORY_BYTES))
  fresh.restore(snapshot)
  expect(bytesOf(fresh).equals(engine.memory)).toBe(true)
  expect(fresh.exports.stackPointer.value).toBe(engine.exports.stackPointer.value)
})

test('an erased memory serves the next instance as a new one', () => {
  const { engine, run } = startedEngine()
  const snapshot = engine.takeSnapshot()
  engine.restore(snapshot)
  const expected = Buffer.from(engine.memory)
  run(DIRTY)
  engine.erase()
  const memory = createMemory(MEMORY_BYTES)
  const next = new Engine(code, memory)
  next.restore(snapshot)
  expect(bytesOf(next).equals(expected)).toBe(true)
})

test('two engines started alike have the same memory: no clock, chance or environment went in', () => {
  const [first, second] = [startedEngine(), startedEngine()]
  for (const { run } of [first, second])
    run('globalThis.a = Math.random() + String(Symbol("x")) + new Error().stack')
  expect(bytesOf(first.engine).equals(second.engine.memory)).toBe(true)
})

test('the memory cannot grow, neither from outside nor from inside', () => {
  const { engine, run } = startedEngine()
  expect(run('globalThis.kept = []; for (;;) kept.push("x".repeat(100000) + kept.length)')).toBe('thrown')
  expect(engine.starved).toBe(true)
  expect(engine.memory.length).toBe(MEMORY_BYTES)
  expect(engine.words.buffer.byteLength).toBe(MEMORY_BYTES)
  expect(engine.words[engine.exports.breakAddress.value >> 2]).toBeLessThanOrEqual(engine.transfer)
})

test('a frame below the end of the stack traps', () => {
  const { engine, run } = startedEngine()
  expect(() => run('(function deeper() { deeper() })()')).toThrow(WebAssembly.RuntimeError)
  expect(engine.stackExhausted).toBe(true)
})
