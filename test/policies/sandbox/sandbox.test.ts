import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox, SandboxError } from '../../../policies/sandbox/index.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await createSandbox()
})

/** Loads a function and calls it once. */
function answer(source: string, input = ''): string {
  return sandbox.load(source, { fileName: 'policy.js' }).call(input).output
}

function failure(action: () => unknown): SandboxError {
  try {
    action()
  } catch (error) {
    if (error instanceof SandboxError) return error
    throw error
  }
  throw new Error('did not fail')
}

const failureOf = (source: string, input = '') => failure(() => answer(source, input))

describe('load and call', () => {
  test('the script ends with a function from string to string', () => {
    expect(answer('const twice = (x) => x + x; twice', 'grüße 🚦')).toBe('grüße 🚦grüße 🚦')
  })

  test('several images live in one sandbox without seeing each other', () => {
    const first = sandbox.load('var name = "first"; () => name', { fileName: 'a.js' })
    const second = sandbox.load('var name = "second"; () => name', { fileName: 'b.js' })
    expect([first.call('').output, second.call('').output, first.call('').output]).toEqual([
      'first',
      'second',
      'first',
    ])
  })

  test('what a warm-up call changes stays, what later calls change does not', () => {
    const image = sandbox.load('let calls = 0; () => String(++calls)', { fileName: 'a.js', warmUp: ['', ''] })
    expect([image.call('').output, image.call('').output]).toEqual(['3', '3'])
  })

  test('an image has a size and a call costs fuel', () => {
    const image = sandbox.load('(x) => JSON.stringify(JSON.parse(x))', { fileName: 'a.js' })
    expect(image.bytes).toBeGreaterThan(100_000)
    expect(image.call('[1]').fuel).toBeLessThan(image.call('[1,2,3]').fuel)
  })

  test('an output may hold NUL characters', () => {
    expect(answer('() => "a\\0b"')).toBe('a\0b')
  })

  test('the digest is that of the engine file', () => {
    const file = readFileSync(new URL('../../../policies/sandbox/engine.wasm', import.meta.url))
    expect(sandbox.engineDigest).toBe(createHash('sha256').update(file).digest('hex'))
  })
})

describe('failures', () => {
  test('a thrown error has its message and its place in the file', () => {
    const error = failureOf('const rule = () => {\n  throw new RangeError("too high")\n}\nrule')
    expect(error).toMatchObject({ kind: 'exception', message: 'RangeError: too high', line: 2, column: 23 })
    expect(error.fuel).toBeGreaterThan(0)
  })

  test('a syntax error has its place in the file', () => {
    const error = failureOf('const a =\n  )')
    expect(error).toMatchObject({ kind: 'exception', line: 2, column: 3 })
    expect(error.message).toContain('SyntaxError')
  })

  test('anything can be thrown', () => {
    expect(failureOf('() => { throw { code: 7 } }').message).toBe('threw {"code":7}')
    expect(failureOf('() => { throw undefined }').message).toBe('threw undefined')
    expect(failureOf('() => { throw "x".repeat(2e4) }').message).toHaveLength(1_000)
  })

  test('a script without a function, and a function without a string, are refused', () => {
    expect(failureOf('42').message).toBe('TypeError: the script must end with a function')
    expect(failureOf('() => 42').message).toBe('TypeError: the function must return a string')
  })

  test('too large inputs, outputs and scripts are refused', async () => {
    const small = await createSandbox({ inputBytes: 10, outputBytes: 10 })
    const echo = small.load('(x) => x', { fileName: 'a.js' })
    expect(echo.call('ü'.repeat(5)).output).toBe('ü'.repeat(5))
    expect(failure(() => echo.call('ü'.repeat(6))).kind).toBe('too_large')
    expect(failure(() => echo.call(`${'x'.repeat(9)}🚦`)).kind).toBe('too_large')
    const double = small.load('(x) => x + x', { fileName: 'a.js' })
    expect(double.call('12345').output).toBe('1234512345')
    expect(failure(() => double.call('123456')).kind).toBe('too_large')
    expect(failureOf(`() => "${'x'.repeat(1_000_000)}"`).kind).toBe('too_large')
  })

  test('an input with a NUL character is refused', () => {
    expect(failureOf('(x) => x', 'a\0b')).toMatchObject({
      kind: 'exception',
      message: 'input holds a NUL character',
    })
  })

  test('a script that never ends loading runs out of its own fuel', async () => {
    const impatient = await createSandbox({ loadFuel: 3_000_000 })
    const error = failure(() => impatient.load('for (;;);', { fileName: 'a.js' }))
    expect(error).toMatchObject({ kind: 'timeout', fuel: 3_000_000 })
    expect(impatient.load('(x) => x', { fileName: 'a.js' }).call('on').output).toBe('on')
  })

  test('a failing warm-up call fails the load', () => {
    const load = () =>
      sandbox.load('(x) => JSON.stringify(JSON.parse(x))', { fileName: 'a.js', warmUp: ['{'] })
    expect(failure(load).kind).toBe('exception')
  })

  test('limits out of range and use after dispose are errors of the caller', async () => {
    await expect(createSandbox({ memoryBytes: 1024 })).rejects.toThrow('sandbox limit memoryBytes is 1024')
    await expect(createSandbox({ fuel: 0.5 })).rejects.toThrow('sandbox limit fuel is 0.5')
    const gone = await createSandbox()
    const image = gone.load('(x) => x', { fileName: 'a.js' })
    gone.dispose()
    expect(() => image.call('')).toThrow('disposed')
  })
})

describe('nothing is kept from one call to the next', () => {
  /** Calls each source three times with a call of another image in between. */
  const threeAnswers = (source: string) => {
    const image = sandbox.load(source, { fileName: 'a.js' })
    const other = sandbox.load('(x) => x', { fileName: 'b.js' })
    return [0, 1, 2].map(() => {
      other.call('between')
      return image.call('').output
    })
  }

  test.each([
    ['a counter in a closure', 'let n = 0; () => String(++n)'],
    ['a counter on an object', 'const state = { n: 0 }; () => String(++state.n)'],
    ['a counter on a function', 'function f() { f.n = (f.n || 0) + 1; return String(f.n) } f'],
    ['the lastIndex of a regular expression', 'const r = /a/g; () => String((r.test("aaa"), r.lastIndex))'],
    [
      'a generator',
      'const g = (function* () { for (let i = 1; ; i++) yield i })(); () => String(g.next().value)',
    ],
    [
      'a registered symbol',
      'const had = new Set(); () => { had.add(Symbol.for("x")); return String(had.size) }',
    ],
    [
      'a weak map',
      'const k = {}, m = new WeakMap(); () => { m.set(k, (m.get(k) || 0) + 1); return String(m.get(k)) }',
    ],
  ])('%s', (_name, source) => {
    expect(threeAnswers(source)).toEqual(['1', '1', '1'])
  })

  test('a big heap', () => {
    const source =
      'const kept = []; () => { for (let i = 0; i < 1e4; i++) kept.push(i); return String(kept.length) }'
    expect(threeAnswers(source)).toEqual(['10000', '10000', '10000'])
  })
})

describe('what a script cannot reach', () => {
  test('globals that know the host, the time or chance do not exist', () => {
    const names = [
      'Date',
      'Promise',
      'Proxy',
      'WeakRef',
      'FinalizationRegistry',
      'SharedArrayBuffer',
      'Uint8Array',
    ]
    names.push(
      'eval',
      'performance',
      'console',
      'print',
      'gc',
      'setTimeout',
      'queueMicrotask',
      'fetch',
      'process',
      'std',
    )
    expect(
      answer(`() => JSON.stringify(${JSON.stringify(names)}.filter((name) => name in globalThis))`),
    ).toBe('[]')
  })

  test.each([
    ['Math.random', '() => String(Math.random())'],
    ['the Function constructor', '() => new Function("return 1")()'],
    ['Function by way of a function', '() => (() => 1).constructor("return 1")()'],
    ['Function by way of a generator', '() => (function* () {}).constructor("return 1")().next()'],
    [
      'Function by way of Reflect',
      '() => Reflect.construct(Object.getPrototypeOf(() => 1).constructor, ["1"])',
    ],
    ['eval', '() => eval("1")'],
    ['indirect eval', '() => (0, globalThis.eval)("1")'],
    ['import', '() => import("node:fs")'],
    ['an async function', '() => (async () => 1)()'],
  ])('%s throws', (_name, source) => {
    expect(failureOf(source).kind).toBe('exception')
  })

  test('no object leads to a constructor that compiles strings', async () => {
    const walk = `() => {
      const seen = new Set(), found = []
      const visit = (value) => {
        if (Object(value) !== value || seen.has(value)) return
        seen.add(value)
        try { if (typeof new value('return 7') === 'function') found.push(value.name) } catch {}
        visit(Object.getPrototypeOf(value))
        for (const key of Reflect.ownKeys(value)) {
          const property = Object.getOwnPropertyDescriptor(value, key)
          visit(property.value); visit(property.get); visit(property.set)
        }
      }
      for (const start of [globalThis, function* () {}, async () => {}, [].values()]) visit(start)
      return JSON.stringify([seen.size, found])
    }`
    const patient = await createSandbox({ fuel: 10_000_000 })
    const [seen, found] = JSON.parse(patient.load(walk, { fileName: 'walk.js' }).call('').output)
    expect(seen).toBeGreaterThan(400)
    expect(found).toEqual([])
  })

  test.each([
    ['Array.prototype', 'Array.prototype.filter = () => []'],
    ['an added method', 'Object.prototype.allowed = true'],
    ['JSON', 'JSON.parse = () => ({})'],
    ['the iterator of arrays', 'Object.getPrototypeOf([].values()).next = () => ({ done: true })'],
    ['generators', 'Object.getPrototypeOf(function* () {}).prototype.next = () => 1'],
    ['regular expressions', 'RegExp.prototype.exec = () => null'],
    ['a global', 'globalThis.leak = 1'],
    ['a global function', 'globalThis.parseInt = () => 0'],
    ['Object.prototype.toString', 'Object.prototype.toString = () => "x"'],
  ])('built-ins cannot be changed for others: %s', (_name, statement) => {
    expect(failureOf(`() => { ${statement}; return "changed" }`).message).toContain('TypeError')
  })

  test('objects below a frozen prototype can still have what it has', () => {
    const source = `() => {
      class Refused extends Error { constructor(m) { super(m); this.name = 'Refused' } }
      const named = {}
      named.toString = () => 'named'
      named.constructor = 1
      return [new Refused('no'), named, Object.keys(named)].join(' ')
    }`
    expect(answer(source)).toBe('Refused: no named toString,constructor')
  })
})
