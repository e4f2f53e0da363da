import { parseArgs } from 'node:util'
import { createSandbox, type Sandbox, SandboxError, type SandboxImage } from '../../policies/sandbox/index.ts'
import { hostileScripts } from '../policies/sandbox/hostile-corpus.ts'

/**
 * Fuzzes the sandbox: mutates the hostile corpus and makes scripts from a grammar, loads and calls each twice, and after
 * each asks an innocent script. Every script ends as documented (an answer or a SandboxError), twice alike, and the
 * innocent answer never changes. `npm run fuzz -- [--seconds 60] [--seed N]`; a failure prints its script.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const seconds = Number(values.seconds ?? 60)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const say = (text: string): void => void process.stdout.write(`${text}\n`)
/** Loading has more fuel than a call, since it happens once; here scripts that loop while they are loaded are many. */
const limits = { fuel: 300_000, loadFuel: 2_000_000 }
const innocentInput = '{"items":[3,1,2],"name":"é","deep":{"a":[1,{"b":null}]}}'
const innocentSource = `(x) => { const f = JSON.parse(x); const m = new Map(Object.entries(f))
  return JSON.stringify([f.items.sort(), [...m.keys()], /\\p{L}/u.test(f.name), Object.keys(Object.prototype), f, [1, [2]].flat()]) }`

let state = seed
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below
}
function pick<Value>(from: readonly Value[]): Value {
  const value = from[random(from.length)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

const tokensOf = (text: string): string[] => text.match(/\w+|\s+|[^\w\s]/g) ?? []
const corpus = hostileScripts.map(({ body }) => tokensOf(body))
const numbers = ['0', '-1', '1e9', '2 ** 31', '2 ** 32 - 1', '2 ** 53', 'NaN', '0.1', '1n', '-0']

function mutated(): string {
  const tokens = [...pick(corpus)]
  for (let turn = 0; turn <= random(4); turn++) {
    const at = random(tokens.length)
    const other = pick(corpus)
    const from = random(other.length)
    const change = random(6)
    if (change === 0) tokens.splice(at, 1 + random(3))
    else if (change === 1) tokens.splice(at, 0, ...tokens.slice(at, at + 1 + random(8)))
    else if (change === 2) tokens.splice(at, random(4), ...other.slice(from, from + 1 + random(12)))
    else if (change === 3 && /^\d/.test(tokens[at] ?? '')) tokens[at] = pick(numbers)
    else if (change === 4) tokens[at] = pick(pick(corpus))
    else tokens.push(';', ...other)
  }
  return tokens.join('')
}

const names = ['a', 'b', 'o', 'f', 'x']
const builtIns = [
  'Object',
  'Array',
  'String',
  'Map',
  'Set',
  'RegExp',
  'Error',
  'JSON',
  'Math',
  'Reflect',
  'Symbol',
  'globalThis',
]
const methods = [
  ...[
    'map',
    'sort',
    'join',
    'flat',
    'concat',
    'repeat',
    'replace',
    'split',
    'toString',
    'call',
    'bind',
    'keys',
  ],
  ...[
    'freeze',
    'defineProperty',
    'setPrototypeOf',
    'parse',
    'stringify',
    'add',
    'set',
    'test',
    'slice',
    'at',
  ],
]
const leaves = [
  () => pick(names),
  () => pick(numbers),
  () => pick(builtIns),
  () => '"ab"',
  () => 'this',
  () => '/(a|b)*c/',
]

function expression(depth: number): string {
  const inner = () => expression(depth - 1)
  if (depth <= 0) return pick(leaves)()
  switch (random(12)) {
    case 0:
      return `${inner()}.${pick(methods)}(${inner()}, ${inner()})`
    case 1:
      return `(${inner()} ${pick(['+', '*', '-', '<', '??', '&&', '**', 'in', 'instanceof', '%', '>>>'])} ${inner()})`
    case 2:
      return `[${inner()}, ...${inner()}]`
    case 3:
      return `{ ${pick(names)}: ${inner()}, get ${pick(names)}() { return ${inner()} } }`
    case 4:
      return `((${pick(names)}) => ${inner()})(${inner()})`
    case 5:
      return `(${pick(names)} = ${inner()})`
    case 6:
      return `new ${pick(builtIns)}(${inner()})`
    case 7:
      return `${inner()}[${inner()}]`
    case 8:
      return `(function* () { yield* ${inner()} })()`
    case 9:
      return `\`\${${inner()}}\``
    case 10:
      return `typeof ${inner()}`
    default:
      return pick(leaves)()
  }
}

function statement(depth: number): string {
  switch (random(7)) {
    case 0:
      return `for (let i = 0; i < ${pick(['10', '1e6', 'a.length'])}; i++) { ${statement(depth - 1)} }`
    case 1:
      return `try { ${statement(depth - 1)} } catch (e) { ${statement(depth - 1)} } finally { x = 1 }`
    case 2:
      return `for (const v of ${expression(depth)}) { ${statement(depth - 1)} }`
    case 3:
      return `if (${expression(depth)}) throw ${expression(depth)}`
    case 4:
      return `class C extends ${expression(1)} { m() { return super.m(${expression(1)}) } } new C().m()`
    case 5:
      return `${expression(depth)}.${pick([...names, ...methods])} = ${expression(depth)}`
    default:
      return depth <= 0 ? ';' : `${expression(depth)};`
  }
}

const generated = (): string =>
  `let a = [3, 1], b = "ab", o = {}, f = () => o, x = 1; ${Array.from({ length: 1 + random(5) }, () => statement(3)).join('\n')}`

/** How a script ends, as text that must be the same each time. */
function endOf(sandbox: Sandbox, body: string): string {
  try {
    const image = sandbox.load(`(input) => { ${body}\n; return "done" }`, { fileName: 'fuzz.js' })
    const { output, fuel } = image.call('')
    return `${fuel} ${output}`
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    return `${error.fuel} ${error.kind} ${error.message}`
  }
}

function check(sandbox: Sandbox, innocent: SandboxImage, expected: string, body: string): void {
  const first = endOf(sandbox, body)
  const second = endOf(sandbox, body)
  if (first !== second) throw new Error(`ends otherwise the second time: ${first} | ${second}`)
  const after = JSON.stringify(innocent.call(innocentInput))
  if (after !== expected) throw new Error(`the innocent answer changed: ${after}`)
}

say(`seed ${seed}, ${seconds} s`)
const sandbox = await createSandbox(limits)
const innocent = sandbox.load(innocentSource, { fileName: 'innocent.js', warmUp: [innocentInput] })
const expected = JSON.stringify(innocent.call(innocentInput))
const endings = new Map<string, number>()
const until = performance.now() + seconds * 1000
let count = 0
let slowestMs = 0
for (; performance.now() < until; count++) {
  const body = random(2) === 0 ? mutated() : generated()
  const before = process.threadCpuUsage()
  try {
    check(sandbox, innocent, expected, body)
  } catch (error) {
    say(`seed ${seed}, script ${count}:\n${body}`)
    throw error
  }
  const { user, system } = process.threadCpuUsage(before)
  slowestMs = Math.max(slowestMs, (user + system) / 1000)
  const kind = endOf(sandbox, body).split(' ')[1] ?? ''
  endings.set(kind, (endings.get(kind) ?? 0) + 1)
}
say(`${count} scripts, slowest ${slowestMs.toFixed(0)} ms of processor time for two loads and calls`)
say([...endings].map(([kind, times]) => `${kind} ${times}`).join(', '))
sandbox.dispose()
