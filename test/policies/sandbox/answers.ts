/**
 * Prints output and fuel of scripts that would show a difference between machines: deep recursion of every
 * kind, floating point, sorting, regular expressions, running out of fuel. `determinism.test.ts` compares
 * runs in other circumstances.
 */
import { createSandbox, SandboxError } from '../../../policies/sandbox/index.ts'

/** Function bodies. */
const BODIES = [
  'return [0.1 + 0.2, Math.sin(1e6), 2 ** 0.5, (25).toString(36), (1e21 / 3).toFixed(2), 5e-324].join()',
  'return [5, 25, 100, 1, 1.5].sort().join() + JSON.stringify({ b: 1, a: 2, 1: 0 }) + new Error("x").stack',
  'return "Straße ÅΩ é".normalize("NFD").toUpperCase().replace(/\\p{Lu}+/gu, (x) => x.length)',
  'let a = []; for (let i = 0; i < 2e4; i++) a = [a]; a = null; return "freed"',
  'for (;;) ;',
]

/** Bodies that go deeper with each turn, until the stack ends; `n` tells how far they came. */
const DEEPER = [
  'const f = () => { n++; f() }; f()',
  'const f = () => { n++; [1, 2].sort(f) }; f()',
  'const f = () => { n++; return "a".replace(/a/, f) }; f()',
  'function* g() { n++; yield* g() } [...g()]',
  'class A { constructor() { n++; new A() } } new A()',
  'for (let o = []; ; n++) { for (let i = 0; i < 20; i++) o = [o]; String(o) }',
  'for (n = 64; ; n *= 2) { let o = []; for (let i = 0; i < n; i++) o = [o]; JSON.stringify(o) }',
  'for (n = 1; ; n *= 2) JSON.parse("[".repeat(n) + "]".repeat(n))',
  'for (n = 1; ; n *= 2) new RegExp("(?:".repeat(n) + ")".repeat(n))',
  'for (let f = () => 1; ; n++) { f = f.bind(null); f() }',
].map((body) => `let n = 0; try { ${body} } catch (error) { return n + String(error) }`)

/** One line per script. */
export async function answers(): Promise<string> {
  const sandbox = await createSandbox({ fuel: 50_000_000 })
  const lines = [...BODIES, ...DEEPER].map((body) => {
    const image = sandbox.load(`() => { ${body} }`, { fileName: 'script.js' })
    try {
      const { output, fuel } = image.call('')
      return `${fuel} ${JSON.stringify(output)}`
    } catch (error) {
      return error instanceof SandboxError ? `${error.fuel} ${error.kind} ${error.message}` : String(error)
    }
  })
  return `${lines.join('\n')}\n`
}

if (import.meta.main) process.stdout.write(await answers())
