import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildEngine, buildFromInstalledPackage } from '../../../policies/sandbox/build-engine.ts'

const read = (name: string) => readFileSync(new URL(`../../../policies/sandbox/${name}`, import.meta.url))

test('the committed engine is what the script builds, byte for byte', () => {
  const built = buildFromInstalledPackage()
  const digest = createHash('sha256').update(built).digest('hex')
  expect(read('engine.sha256').toString()).toBe(`${digest}  engine.wasm\n`)
  expect(read('engine.wasm').equals(built)).toBe(true)
})

test('the engine imports nothing but its memory', () => {
  const module = new WebAssembly.Module(read('engine.wasm'))
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'host', name: 'memory', kind: 'memory' }])
})

test('another QuickJS build is refused', () => {
  expect(() => buildEngine(new Uint8Array([0, 97, 115, 109]), '', '')).toThrow('unknown QuickJS build')
})
