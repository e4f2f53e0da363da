/**
 * Builds `engine.wasm`: the QuickJS of `@jitl/quickjs-wasmfile-release-sync`, changed so that a hostile
 * script cannot hold the thread, outgrow its memory or see anything of the host. Run by hand after a change
 * here or in `realm.js`:
 *
 *     node policies/sandbox/build-engine.ts
 *
 * A test builds it again and compares every byte. What is changed:
 * - **Fuel.** Each loop turn and each function entry costs 1, each bulk memory operation 1 + its bytes /
 *   16; below zero the engine traps. QuickJS's own interrupt handler is never asked inside natives such as
 *   `indexOf`.
 * - **Stack.** The shadow stack shrinks from 5 MiB to 48 KiB, and a function whose frame passes its end
 *   traps. Else the depth that a recursion reaches would depend on how far the host has compiled the
 *   engine, and differ from call to call.
 * - **Memory.** The heap follows the stack, so that a small memory works; the last 1 MiB belongs to the
 *   host.
 * - **Marks.** Every store marks its page (4 KiB) in a map between stack and heap, so that the host has to put
 *   back only what a call touched. The mark comes after the store: even a stray store into the map leaves the
 *   map's own page marked.
 * - **No host.** Imported functions become constants or traps. The one import left is the memory.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import binaryen from 'binaryen'

/** The only input that this script knows; for another one every number below has to be read anew. */
const STOCK_SHA256 = '105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232'
const STOCK_STACK_TOP = 5_333_088
const STOCK_STACK_BYTES = 5_242_880
/** Where the C library keeps the end of the heap (`sbrk`). It only grows. */
const BREAK_ADDRESS = 86_864
/** Set to 1 when the heap cannot grow; a free word behind the static data, so that a restore clears it. */
const STARVED_ADDRESS = 90_208
/** How often each rule must match; another count means the text is not what the rules were written for. */
const MATCHES = {
  memory: 1,
  host: 19,
  stack: 1,
  heap: 1,
  exported: 12,
  entry: 1321,
  loop: 1079,
  bulk: 98,
  store: 5374,
  frame: 449,
  layout: 3,
}

const STACK_END = 94_208 // Static data ends at 90,208.
const STACK_TOP = STACK_END + 48 * 1024
/** Pages as the marks count them. */
const PAGE_BITS = 12
/** A byte a page, for the largest memory there can be; a page of distance, since a store may pass a page's end. */
const MARKS = STACK_TOP + 2 ** PAGE_BITS
const HEAP_START = MARKS + 64 * 1024
const TRANSFER_PAGES = 16

/** Notes that the memory did not suffice, and marks the page of that note. */
const STARVE = `i32.const ${STARVED_ADDRESS} i32.const 1 i32.store
  i32.const ${STARVED_ADDRESS >> PAGE_BITS} i32.const 1 i32.store8 offset=${MARKS} i32.const 0`

/** Letter of an imported function in the stock module → what answers instead of the host. */
const HOST_FUNCTIONS: Readonly<Record<string, string>> = {
  b: 'unreachable', // An assertion failed.
  c: 'i32.const 52', // Write to a file; 52 is "not supported".
  d: 'i32.const 52', // Close a file.
  e: 'i32.const 52', // Environment variables.
  f: 'i32.const 52', // Size of the environment.
  g: 'unreachable', // Normalise a module's name.
  h: 'unreachable', // Source of a module.
  i: 'i32.const 0', // Interrupt the script?
  j: 'i32.const 0', // Set a timer.
  k: STARVE, // Grow the memory.
  l: '', // Forget a timer.
  m: 'unreachable', // Local time.
  n: '', // Time zone.
  o: 'i32.const 70', // Seek in a file; 70 is "not seekable".
  p: 'f64.const 0', // The clock.
  q: 'unreachable', // Abort.
  r: 'unreachable', // Exit.
  s: 'unreachable', // Call a function of the host.
  t: '', // Free a value of the host.
}

/** What the sandbox calls. The rest of the stock interface is left out, with all that only it used. */
const FUNCTIONS = [
  ...['QTS_NewRuntime', 'QTS_RuntimeSetMaxStackSize', 'QTS_NewContext', 'QTS_GetUndefined'],
  ...['QTS_Eval', 'QTS_NewString', 'QTS_Call', 'QTS_ResolveException', 'QTS_GetString', 'QTS_Dump'],
  'QTS_FreeValuePointer',
]

const LOCALS =
  '(local $left i32) (local $address i32) (local $i32 i32) (local $i64 i64) (local $f32 f32) (local $f64 f64)'
const TICK = charge('i32.const 1')
const CHARGE_BYTES = charge('local.get 2 i32.const 4 i32.shr_u i32.const 1 i32.add')

/** Numbers of the layout that the host has to know, as exported constants. */
const LAYOUT = {
  stackEnd: STACK_END,
  stackTop: STACK_TOP,
  marks: MARKS,
  pageBytes: 2 ** PAGE_BITS,
  heapStart: HEAP_START,
  breakAddress: BREAK_ADDRESS,
  starvedAddress: STARVED_ADDRESS,
  transferBytes: TRANSFER_PAGES * 65_536,
}
const GLOBALS = [
  '(global $fuel (mut i32) (i32.const 2147483647)) (export "fuel" (global $fuel))',
  '(export "stackPointer" (global $global$0))',
  ...Object.entries(LAYOUT).map(
    ([name, value]) => `(global $${name} i32 (i32.const ${value})) (export "${name}" (global $${name}))`,
  ),
].join('\n')
/** Marks the pages of a bulk operation: to address 0, as many bytes as local 2 says. */
const MARK_RANGE = `local.get 2 if
  local.get 0 i32.const ${PAGE_BITS} i32.shr_u local.tee 1 i32.const ${MARKS} i32.add i32.const 1
  local.get 0 local.get 2 i32.add i32.const 1 i32.sub i32.const ${PAGE_BITS} i32.shr_u
  local.get 1 i32.sub i32.const 1 i32.add memory.fill end`
const BULK_FUNCTIONS = `
 (func $charged.fill (param i32 i32 i32) (local $left i32) ${CHARGE_BYTES}
  local.get 0 local.get 1 local.get 2 memory.fill ${MARK_RANGE})
 (func $charged.copy (param i32 i32 i32) (local $left i32) ${CHARGE_BYTES}
  local.get 0 local.get 1 local.get 2 memory.copy ${MARK_RANGE})`

/** Takes fuel; `$left` is one of the locals that every function gets, cheaper than reading the global again. */
function charge(units: string): string {
  const used = `global.get $fuel ${units} i32.sub local.tee $left global.set $fuel`
  return `${used} ${trapIf('local.get $left i32.const 0 i32.lt_s')}`
}

/** A store that marks its page. The value waits in a local of its type while the address is kept. */
function markedStore(type: string, store: string, offset: number): string {
  const address = offset === 0 ? 'local.get $address' : `local.get $address i32.const ${offset} i32.add`
  const page = `${address} i32.const ${PAGE_BITS} i32.shr_u`
  const keep = `local.set $${type} local.tee $address local.get $${type} ${store}`
  return `${keep} ${page} i32.const 1 i32.store8 offset=${MARKS}`
}

function trapIf(condition: string): string {
  return `${condition} if unreachable end`
}

/**
 * Stock module, source of its loader, source of `realm.js` → the engine; the same bytes on every machine.
 */
export function buildEngine(stock: Uint8Array, loader: string, realm: string): Uint8Array {
  const digest = sha256(stock)
  if (digest !== STOCK_SHA256) throw new Error(`unknown QuickJS build ${digest}, expected ${STOCK_SHA256}`)
  const module = binaryen.readBinary(stock)
  const text = rewrite(module.emitStackIR(), exportNames(loader))
  module.dispose()

  const engine = binaryen.parseText(text)
  const { MVP, BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt, NontrappingFPToInt } = binaryen.Features
  engine.setFeatures(MVP | BulkMemory | BulkMemoryOpt | MutableGlobals | SignExt | NontrappingFPToInt)
  engine.runPasses(['remove-unused-module-elements'])
  engine.addCustomSection('realm', Buffer.from(realm))
  if (!engine.validate()) throw new Error('the rewritten engine is not valid')
  const binary = engine.emitBinary()
  engine.dispose()
  return binary
}

/** The stock module's exports have one-letter names; its loader says which is which: `d._QTS_Call=b.ma`. */
function exportNames(loader: string): ReadonlyMap<string, string> {
  const names = new Map([['u', 'initialise']])
  for (const [, name, letter] of loader.matchAll(/d\._(\w+)=b\.([\w$]+)/g)) {
    if (name && letter && FUNCTIONS.includes(name)) names.set(letter, name)
  }
  return names
}

/** One pass over the module's text, one instruction per line. */
function rewrite(text: string, names: ReadonlyMap<string, string>): string {
  const lines = text.trimEnd().split('\n')
  // The same keys.
  const counts = Object.fromEntries(Object.keys(MATCHES).map((rule) => [rule, 0])) as typeof MATCHES
  const out: string[] = []
  let header = false
  lines.pop() // The module's closing bracket.
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (header && !line.startsWith('(local ')) {
      out.push(TICK)
      counts.entry++
      header = false
    }
    const change = line.startsWith('(')
      ? rewriteDefinition(line, names)
      : rewriteInstruction(line, lines[index - 1]?.trim(), lines[index - 2]?.trim())
    out.push(change?.text ?? raw)
    if (change?.rule) counts[change.rule]++
    if (line.startsWith('(func ')) {
      out.push(LOCALS)
      header = true
    }
  }
  if (JSON.stringify(counts) !== JSON.stringify(MATCHES)) {
    throw new Error(`rules matched ${JSON.stringify(counts)}, expected ${JSON.stringify(MATCHES)}`)
  }
  return [...out, BULK_FUNCTIONS, ')'].join('\n')
}

interface Change {
  readonly text: string
  readonly rule?: keyof typeof MATCHES
}

/** Imports, the stack pointer, the heap's first address, exports. */
function rewriteDefinition(line: string, names: ReadonlyMap<string, string>): Change | undefined {
  if (line.startsWith('(import "a" "a" (memory ')) {
    return { text: '(import "host" "memory" (memory $memory 1))', rule: 'memory' }
  }
  const imported = /^\(import "a" "(\w)" \(func (.*)\)\)$/.exec(line)
  if (imported) return { text: `(func ${imported[2]} ${HOST_FUNCTIONS[imported[1] ?? '']})`, rule: 'host' }
  if (line === `(global $global$0 (mut i32) (i32.const ${STOCK_STACK_TOP}))`) {
    return { text: `(global $global$0 (mut i32) (i32.const ${STACK_TOP}))\n${GLOBALS}`, rule: 'stack' }
  }
  const data = /^\(data (\$\d+) \(i32\.const (\d+)\) /.exec(line)
  if (Number(data?.[2]) === BREAK_ADDRESS) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(HEAP_START)
    const escaped = bytes.toString('hex').replace(/../g, '\\$&')
    return { text: `(data ${data?.[1]} (i32.const ${BREAK_ADDRESS}) "${escaped}")`, rule: 'heap' }
  }
  const exported = /^\(export "(.+)" \(func (\S+)\)\)$/.exec(line)
  if (!exported) return undefined
  const name = names.get(exported[1] ?? '')
  return name ? { text: `(export "${name}" (func ${exported[2]}))`, rule: 'exported' } : { text: '' }
}

/** Loops, stores, bulk memory operations, stack frames, and the three places that know the stock layout. */
function rewriteInstruction(line: string, above = '', above2 = ''): Change | undefined {
  if (/^loop\b/.test(line)) return { text: `${line} ${TICK}`, rule: 'loop' }
  const store = /^([if]\d\d)\.store\d*(?: offset=(\d+))?(?: align=\d)?$/.exec(line)
  if (store) {
    return { text: markedStore(store[1] ?? '', line, Number(store[2] ?? 0)), rule: 'store' }
  }
  if (line === 'memory.fill') return { text: 'call $charged.fill', rule: 'bulk' }
  if (line === 'memory.copy') return { text: 'call $charged.copy', rule: 'bulk' }
  // A function that gives its frame back adds a positive constant; every other write may be a new frame.
  const givesBack = above === 'i32.add' && /^i32\.const \d/.test(above2)
  if (line === 'global.set $global$0' && !givesBack) {
    const check = trapIf(`local.get $left i32.const ${STACK_END} i32.lt_u`)
    return { text: `local.tee $left global.set $global$0 ${check}`, rule: 'frame' }
  }
  // Only `sbrk` asks for the size of the memory.
  if (line === 'memory.size') return { text: `${line} i32.const ${TRANSFER_PAGES} i32.sub`, rule: 'layout' }
  if (line === `i32.const ${STOCK_STACK_TOP}`) return { text: `i32.const ${STACK_TOP}`, rule: 'layout' }
  if (line === `i32.const ${STOCK_STACK_BYTES}`) {
    return { text: `i32.const ${STACK_TOP - STACK_END}`, rule: 'layout' }
  }
  return undefined
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Reads the installed stock package and `realm.js`, and builds. */
export function buildFromInstalledPackage(): Uint8Array {
  const read = (specifier: string) => readFileSync(fileURLToPath(import.meta.resolve(specifier)))
  const stock = read('@jitl/quickjs-wasmfile-release-sync/wasm')
  const loader = read('@jitl/quickjs-wasmfile-release-sync/emscripten-module').toString()
  return buildEngine(stock, loader, readFileSync(new URL('realm.js', import.meta.url), 'utf8'))
}

if (import.meta.main) {
  const engine = buildFromInstalledPackage()
  writeFileSync(new URL('engine.wasm', import.meta.url), engine)
  writeFileSync(new URL('engine.sha256', import.meta.url), `${sha256(engine)}  engine.wasm\n`)
}
