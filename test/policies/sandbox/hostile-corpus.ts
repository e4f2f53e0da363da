/**
 * Scripts that mean harm, each the body of a function. `ends`: how it must end in the sandbox: `timeout`, `memory` and
 * `exception` as the failures of a policy, `nothing`: it runs to its end, and has changed nothing that anybody can see.
 * The same bodies are pushed at the control plane and mutated by the fuzzer.
 */
export interface HostileScript {
  readonly name: string
  readonly ends: 'timeout' | 'memory' | 'exception' | 'nothing'
  readonly body: string
}

type Group = readonly (readonly [name: string, ends: HostileScript['ends'], body: string])[]

const loops: Group = [
  ['an endless loop', 'timeout', 'for (;;) {}'],
  ['catch and go on', 'timeout', 'for (;;) { try { for (;;) {} } catch {} }'],
  ['finally that goes on', 'timeout', 'for (;;) { try { throw 1 } finally { continue } }'],
  ['a labelled loop', 'timeout', 'outer: for (;;) { for (;;) continue outer }'],
  ['a sort that lies', 'timeout', '[...Array(20000).keys()].sort(() => 1)'],
  ['a generator without end', 'timeout', 'for (const x of (function* () { for (;;) yield 1 })()) x'],
  [
    'a generator that refuses to return',
    'timeout',
    'const g = { [Symbol.iterator]() { return this }, next: () => ({ done: false }), return() { for (;;); } }; for (const x of g) break',
  ],
  [
    'generators that delegate to each other',
    'exception',
    'function* a() { yield* b() } function* b() { yield* a() } for (const x of a()) x',
  ],
  [
    'a map that grows while it is read',
    'timeout',
    'const m = new Map([[0, 0]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 0) }',
  ],
  ['a while over a getter', 'timeout', 'const o = { get more() { return true } }; while (o.more);'],
  [
    'an endless destructuring',
    'timeout',
    'const [...all] = (function* () { for (;;) yield 1 })(); return all.length',
  ],
]

const patterns: Group = [
  ['a catastrophic regular expression', 'timeout', '/(a+)+$/.test("a".repeat(30) + "b")'],
  ['nested quantifiers', 'timeout', '/^(([a-z])+.)+[A-Z]([a-z])+$/.test("a".repeat(40))'],
  ['alternatives that overlap', 'timeout', '/(a|aa)+$/.test("a".repeat(60) + "b")'],
  ['a back reference', 'timeout', '/(a*)*\\1$/.test("a".repeat(40) + "b")'],
  ['a lookahead in a loop', 'timeout', '/(?=(a+))*b/.test("a".repeat(20000))'],
  ['many dots', 'timeout', '/(.*)(.*)(.*)(.*)(.*)x/.test("a".repeat(3000))'],
  ['a replacement without end', 'timeout', '"a".repeat(2e5).replace(/a/g, () => "b".repeat(50))'],
  ['a pattern of a million groups', 'exception', 'new RegExp("(".repeat(1e5) + ")".repeat(1e5))'],
  [
    'a sticky match from an odd index',
    'timeout',
    'const r = /a/y; for (;;) { r.lastIndex = 2 ** 31; r.test("a") }',
  ],
  ['split by a pattern', 'timeout', '"ab".repeat(2e5).split(/(a)|(b)/)'],
  [
    'a pattern whose exec is its own',
    'timeout',
    'const r = /a/g; Object.defineProperty(r, "exec", { value: () => [""] }); "a".replace(r, "b")',
  ],
]

const natives: Group = [
  ['a quadratic indexOf', 'timeout', '"a".repeat(4e5).indexOf("a".repeat(2e5) + "b")'],
  ['a quadratic lastIndexOf', 'timeout', '"a".repeat(4e5).lastIndexOf("b" + "a".repeat(2e5))'],
  ['includes on a sparse array', 'timeout', 'const a = []; a.length = 4294967295; a.includes(5)'],
  ['reverse on a sparse array', 'timeout', 'const a = []; a.length = 4294967295; a.reverse()'],
  ['fill of an array-like', 'timeout', 'Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 1)'],
  ['join of a sparse array', 'timeout', 'Array(2 ** 32 - 1).join("x")'],
  ['copyWithin on an array-like', 'timeout', 'Array.prototype.copyWithin.call({ length: 2 ** 40 }, 0, 1)'],
  ['an array-like of four billion', 'timeout', 'Array.from({ length: 4294967295 })'],
  ['a flat of the deep', 'timeout', 'let a = [1]; for (let i = 0; i < 5e4; i++) a = [a]; a.flat(Infinity)'],
  ['a spread of a million', 'timeout', 'Math.max(...Array(1e6))'],
  ['concat that doubles', 'timeout', 'for (let a = [1]; ; ) a = a.concat(a)'],
  ['split and join', 'timeout', '"a,".repeat(2e5).split(",").join("")'],
  ['replaceAll that grows', 'timeout', '"a".repeat(1e5).replaceAll("a", "b".repeat(1e4))'],
  ['normalise a long text', 'timeout', '"\\u0041\\u030a".repeat(1e5).normalize("NFC").normalize("NFD")'],
  ['large copies', 'timeout', 'for (const s = "x".repeat(3e6); ; ) s.slice(1)'],
  ['a power of BigInt', 'timeout', '(3n ** 1000000n).toString()'],
  ['a BigInt that doubles', 'timeout', 'for (let x = 7n; ; ) x *= x'],
  ['a BigInt shifted far', 'exception', 'for (let i = 20n; ; i++) (1n << (1n << i)) - 1n'],
  ['toFixed and toString in a loop', 'timeout', 'for (;;) (1e21 / 3).toString(3) + (0.1).toFixed(100)'],
]

const memories: Group = [
  ['arrays without end', 'timeout', 'const a = []; for (;;) a.push(new Array(10000).fill(1))'],
  ['a string that doubles', 'exception', 'for (let s = "x"; ; ) s += s'],
  ['a giant string', 'memory', '"x".repeat(2 ** 29)'],
  ['a giant padding', 'memory', '"x".padStart(2 ** 29)'],
  ['ropes', 'timeout', 'for (let s = ""; ; ) s = "a" + s + "b".repeat(40)'],
  ['strings that are kept', 'timeout', 'const kept = []; for (;;) kept.push("x".repeat(1e5) + kept.length)'],
  ['closures that are kept', 'timeout', 'let f = () => 0; for (;;) { const g = f; f = () => g }'],
  ['sets of symbols', 'timeout', 'const s = new Set(); for (;;) s.add(Symbol("x"))'],
  ['ever new property names', 'timeout', 'const o = {}; for (let i = 0; ; i++) o["k" + i] = i'],
  [
    'ever new shapes',
    'timeout',
    'const all = []; for (let i = 0; ; i++) all.push({ ["a" + i]: 1, ["b" + i]: 2 })',
  ],
  [
    'memory that is caught and asked for again',
    'timeout',
    'for (;;) { try { "x".repeat(2 ** 29) } catch {} }',
  ],
]

const depths: Group = [
  ['endless recursion', 'exception', '(function f(n) { return 1 + f(n + 1) })(0)'],
  ['recursion that catches', 'timeout', 'const f = () => { try { f() } finally { f() } }; f()'],
  ['deep JSON', 'exception', 'JSON.parse("[".repeat(1e5) + "]".repeat(1e5))'],
  [
    'a deep object as JSON',
    'timeout',
    'let o = []; for (let i = 0; i < 2e4; i++) o = [o]; JSON.stringify(o)',
  ],
  ['a getter that reads itself', 'exception', 'const o = { get a() { return this.a } }; return o.a'],
  ['toString that calls itself', 'exception', 'const o = { toString() { return "" + this } }; return "" + o'],
  [
    'a toJSON that nests',
    'timeout',
    'const o = { toJSON() { return { o: { toJSON: o.toJSON } } } }; return JSON.stringify(o)',
  ],
  ['a class that makes itself', 'exception', 'class A { constructor() { new A() } } new A()'],
  ['bound a thousand times', 'exception', 'let f = () => 1; for (;;) { f = f.bind(null); f() }'],
  [
    'a chain of prototypes',
    'timeout',
    'let o = {}; for (let i = 0; ; i++) { o = Object.create(o); o.missing }',
  ],
]

const escapes: Group = [
  ['Function from a function', 'exception', 'return (() => 1).constructor("return 1")()'],
  ['Function from a generator', 'exception', 'return (function* () {}).constructor("yield 1")()'],
  ['Function from an async function', 'exception', 'return (async () => {}).constructor("return 1")()'],
  ['Function by new.target', 'exception', 'return Reflect.construct(Function, ["return 1"], class {})()'],
  ['eval, directly', 'exception', 'return eval("1")'],
  ['eval, from the global object', 'exception', 'return globalThis.eval("1")'],
  ['the host by name', 'exception', 'return process.exit(1)'],
  [
    'an import',
    'exception',
    'const { require } = globalThis; return require("node:fs").readFileSync("/etc/passwd")',
  ],
  ['the clock', 'exception', 'return Date.now()'],
  ['chance', 'exception', 'return Math.random()'],
  ['a proxy', 'exception', 'return new Proxy({}, { get() { for (;;); } }).x'],
  ['shared memory', 'exception', 'return new SharedArrayBuffer(1)'],
  ['a promise job loop', 'exception', '(async () => { for (;;) await 0 })()'],
  ['a promise', 'exception', 'return new Promise(() => {})'],
  ['the caller of a function', 'exception', 'return (function f() { return f.caller })()'],
  ['the arguments of a caller', 'exception', 'return (function f() { return arguments.callee })()'],
]

const tampering: Group = [
  ['a polluted prototype', 'exception', 'Object.prototype.polluted = 1'],
  ['__proto__ of the global object', 'exception', 'globalThis.__proto__.polluted = 1'],
  ['__proto__ through JSON', 'nothing', 'JSON.parse(\'{"__proto__":{"polluted":1}}\')'],
  [
    'defineProperty on a prototype',
    'exception',
    'Object.defineProperty(Array.prototype, "polluted", { value: 1 })',
  ],
  ['another prototype for arrays', 'exception', 'Object.setPrototypeOf(Array.prototype, { polluted: 1 })'],
  ['JSON.parse of its own', 'exception', 'JSON.parse = () => ({})'],
  ['JSON.stringify of its own', 'exception', 'JSON.stringify = () => "[]"'],
  ['toJSON for all', 'exception', 'Object.prototype.toJSON = () => ({ effect: "allow" })'],
  ['toJSON for all strings', 'exception', 'String.prototype.toJSON = () => "x"'],
  ['a setter for an index', 'exception', 'Object.defineProperty(Array.prototype, 0, { set() {} })'],
  ['an iterator of its own for arrays', 'exception', 'Array.prototype[Symbol.iterator] = function* () {}'],
  ['push of its own', 'exception', 'Array.prototype.push = () => 0'],
  ['a species of its own', 'exception', 'Object.defineProperty(Array, Symbol.species, { value: class {} })'],
  ['exec of its own', 'exception', 'RegExp.prototype.exec = () => null'],
  ['call of its own on a built-in', 'exception', 'Array.prototype.filter.call = () => []'],
  ['a new global', 'exception', 'globalThis.leak = 1'],
  ['a global gone', 'exception', 'delete globalThis.JSON'],
  ['Error.prepareStackTrace', 'exception', 'Error.prepareStackTrace = () => "x"; throw new Error("x")'],
  ['Error.stackTraceLimit', 'exception', 'Error.stackTraceLimit = 1e9; throw new Error("x")'],
  ['a symbol in the registry', 'nothing', 'Symbol.for("leak" + Object.keys(Symbol).length)'],
  ['lastIndex kept in a pattern', 'nothing', '/a/g.test("a")'],
]

const errors: Group = [
  [
    'an error whose message never comes',
    'timeout',
    'throw Object.defineProperty(new Error(), "message", { get() { for (;;); } })',
  ],
  [
    'an error whose stack never comes',
    'timeout',
    'throw Object.defineProperty(new Error(), "stack", { get() { for (;;); } })',
  ],
  [
    'an error whose name throws',
    'exception',
    'throw Object.defineProperty(new Error("m"), "name", { get() { throw 1 } })',
  ],
  ['a thrown value that never prints', 'timeout', 'throw { toJSON() { for (;;); } }'],
  [
    'a thrown value that throws',
    'exception',
    'throw { toJSON() { throw new Error("again") }, toString() { throw 1 } }',
  ],
  [
    'an error that claims to be ours',
    'exception',
    'throw Object.assign(new Error("out of fuel"), { name: "SandboxError", kind: "timeout", fuel: 0 })',
  ],
  ['an error that claims to be of memory', 'exception', 'throw new InternalError("out of memory")'],
  [
    'an error with another script in its stack',
    'exception',
    'throw Object.defineProperty(new Error("x"), "stack", { value: "at f (hostile.js:999:999)" })',
  ],
  ['null thrown', 'exception', 'throw null'],
  ['a symbol thrown', 'exception', 'throw Symbol("x")'],
  ['a cycle thrown', 'exception', 'const o = {}; o.o = o; throw o'],
  ['a very long message', 'exception', 'throw new Error("x".repeat(20000))'],
  ['an error caused by itself', 'exception', 'const e = new Error("x"); e.cause = e; throw e'],
]

/** Ways that the language itself offers to run code where none is seen, and natives that take much for little. */
const protocols: Group = [
  [
    'a set that feeds its own forEach',
    'timeout',
    'const s = new Set([0]); s.forEach((x) => { s.delete(x); s.add(x + 1) })',
  ],
  ['String.raw of an array-like without end', 'timeout', 'String.raw({ raw: { length: 2 ** 53 - 1 } })'],
  ['a replacer that nests', 'timeout', 'JSON.stringify([1], (k, v) => [v])'],
  [
    'a reviver that feeds the list',
    'nothing',
    'JSON.parse("[1]", function (k, v) { if (Array.isArray(this)) this.push(v, v); return v })',
  ],
  [
    'a sort in its own comparator',
    'exception',
    'const a = [3, 2, 1]; const c = () => { a.sort(c); return 1 }; a.sort(c)',
  ],
  [
    'an iterator whose return is never got',
    'timeout',
    'const [x] = { [Symbol.iterator]: () => ({ next: () => ({ done: false }), get return() { for (;;); } }) }',
  ],
  ['a key that never becomes one', 'timeout', 'return ({})[{ [Symbol.toPrimitive]() { for (;;); } }]'],
  [
    'a pattern whose matches are its own',
    'timeout',
    'class R extends RegExp { exec() { return { index: 0, 0: "" } } } for (const m of "a".matchAll(new R("", "g"))) m',
  ],
  ['a group without end', 'timeout', 'Map.groupBy((function* () { for (;;) yield 1 })(), (x) => x)'],
  [
    'an iterator helper without end',
    'timeout',
    'Iterator.from({ next: () => ({ done: false }) }).map((x) => x).toArray()',
  ],
  ['a template that is written to', 'exception', '((s) => { s.x = 1 })`a`'],
  [
    'a species that lies about its length',
    'nothing',
    'class A extends Array { static get [Symbol.species]() { return function () { return { length: 2 ** 53 - 2 } } } } new A(1, 2, 3).concat([1])',
  ],
  [
    'instanceof of its own',
    'timeout',
    'const o = { [Symbol.hasInstance]() { for (;;); } }; return 1 instanceof o',
  ],
  [
    'what says that it can be spread',
    'timeout',
    'const a = { length: 2 ** 32 - 1, [Symbol.isConcatSpreadable]: true }; [].concat(a, a)',
  ],
  [
    'super that calls itself',
    'exception',
    'const a = { f() { return super.f() } }; const b = { f() { return a.f() } }; Object.setPrototypeOf(a, b); a.f()',
  ],
  [
    'comparisons of long texts',
    'timeout',
    'const a = "x".repeat(2e6), b = a + "y"; for (let n = 0; ; ) n += a < b ? 1 : 0',
  ],
  ['a number of a million digits', 'timeout', 'for (const s = "1".repeat(1e6); ; ) parseFloat(s)'],
  ['a BigInt of a million digits', 'timeout', 'BigInt("9".repeat(1e6))'],
  ['a wait for another thread', 'exception', 'const { Atomics: a } = globalThis; a.wait([0], 0, 0)'],
  ['scopes without names', 'exception', 'globalThis[Symbol.unscopables] = { JSON: true }'],
]

const outputs: Group = [
  ['a number for an answer', 'exception', 'return 1'],
  ['an object that turns into text', 'exception', 'return { toString: () => "done" }'],
  ['a String object', 'exception', 'return new String("done")'],
  ['nothing for an answer', 'exception', 'return undefined'],
  ['a promise for an answer', 'exception', 'return (async () => "done")()'],
]

/** Of `outputs`: as a part of a policy they say nothing that is wrong. */
export const isOutput = (script: HostileScript): boolean => outputs.some(([name]) => name === script.name)

const groups = { loops, patterns, natives, memories, depths, escapes, tampering, errors, protocols, outputs }

/** All of them, by name. */
export const hostileScripts: readonly HostileScript[] = Object.values(groups).flatMap((group) =>
  group.map(([name, ends, body]) => ({ name, ends, body })),
)
