import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createSandbox } from '../../../policies/sandbox/index.ts'
import { answers } from './answers.ts'

test('two hundred calls in random order give the same bytes and fuel, on fresh instances too', async () => {
  const sandbox = await createSandbox()
  const sources = [
    '(x) => JSON.stringify(Object.entries(JSON.parse(x)).sort())',
    'const seen = []; (x) => { seen.push(x); return seen.join() + x.replace(/\\d/g, (d) => 9 - d) }',
    'let n = 0; (x) => { for (let i = 0; i < x.length * 20; i++) n += i; return String(n) }',
  ]
  const images = sources.map((source) => sandbox.load(source, { fileName: 'a.js', warmUp: ['{}'] }))
  const trap = sandbox.load('() => { for (;;); }', { fileName: 'trap.js' })
  const first = new Map<string, unknown>()
  let random = 12_345
  const next = (below: number) => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    return (random >>> 8) % below
  }
  for (let i = 0; i < 200; i++) {
    if (i % 50 === 49) expect(() => trap.call('')).toThrow('out of fuel')
    const [which, input] = [next(images.length), JSON.stringify({ a: next(4), b: 'x'.repeat(next(4) * 100) })]
    const answer = images[which]?.call(input)
    const key = `${which} ${input}`
    expect(answer).toEqual(first.get(key) ?? answer)
    first.set(key, answer)
  }
  expect(first.size).toBeLessThan(60)
})

test('another sandbox gives the same answers and the same fuel', async () => {
  expect(await answers()).toBe(await answers())
})

test('output, fuel and depth of recursion do not depend on how the host compiles the engine', async () => {
  const script = fileURLToPath(new URL('answers.ts', import.meta.url))
  const run = (...flags: string[]) => execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })
  const expected = await answers()
  // Baseline code has the largest frames; 700 of the usual 984 KiB leaves room for the host's own frames.
  expect(run('--liftoff-only', '--stack-size=700')).toBe(expected)
  expect(run('--no-liftoff')).toBe(expected)
})
