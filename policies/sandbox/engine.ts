/**
 * `engine.wasm` as the sandbox sees it: its interface, one instance with its memory, and the taking and
 * putting back of snapshots. Nothing here knows about authors' scripts.
 */
import type { GuestMemory } from './guest-memory.ts'
import { Pages } from './pages.ts'

const PAGE_BYTES = 65_536

/**
 * Addresses are numbers; `…Value` is the address of a `JSValue`. What the functions do is documented by
 * quickjs-emscripten (`QuickJSFFI`); the globals are added by `build-engine.ts`.
 */
export type EngineExports = {
  readonly initialise: () => void
  readonly QTS_NewRuntime: () => number
  readonly QTS_RuntimeSetMaxStackSize: (runtime: number, bytes: number) => void
  readonly QTS_NewContext: (runtime: number, intrinsics: number) => number
  readonly QTS_GetUndefined: () => number
  /** The file name is an address too: the stock loader, which converts it, is not used. */
  readonly QTS_Eval: (
    ...args: [context: number, source: number, bytes: number, fileName: number, detect: number, flags: number]
  ) => number
  readonly QTS_NewString: (context: number, text: number) => number
  readonly QTS_Call: (
    ...args: [context: number, functionValue: number, thisValue: number, count: number, values: number]
  ) => number
  readonly QTS_ResolveException: (context: number, value: number) => number
  readonly QTS_GetString: (context: number, value: number) => number
  readonly QTS_Dump: (context: number, value: number) => number
  readonly QTS_FreeValuePointer: (context: number, value: number) => void
  readonly fuel: WebAssembly.Global
  readonly stackPointer: WebAssembly.Global
  readonly stackEnd: WebAssembly.Global
  readonly stackTop: WebAssembly.Global
  readonly marks: WebAssembly.Global
  readonly pageBytes: WebAssembly.Global
  readonly heapStart: WebAssembly.Global
  readonly breakAddress: WebAssembly.Global
  readonly starvedAddress: WebAssembly.Global
  readonly transferBytes: WebAssembly.Global
}

const EXPORT_NAMES: readonly (keyof EngineExports)[] = [
  'initialise',
  'QTS_NewRuntime',
  'QTS_RuntimeSetMaxStackSize',
  'QTS_NewContext',
  'QTS_GetUndefined',
  'QTS_Eval',
  'QTS_NewString',
  'QTS_Call',
  'QTS_ResolveException',
  'QTS_GetString',
  'QTS_Dump',
  'QTS_FreeValuePointer',
  'fuel',
  'stackPointer',
  'stackEnd',
  'stackTop',
  'marks',
  'pageBytes',
  'heapStart',
  'breakAddress',
  'starvedAddress',
  'transferBytes',
]

export interface EngineCode {
  readonly module: WebAssembly.Module
  /** Source of the script that prepares a context; see `realm.js`. */
  readonly realm: string
  /** sha256 of `engine.wasm`, hex. */
  readonly digest: string
  /** How this runtime sees a memory as bytes and text. */
  readonly memoryOf: (bytes: ArrayBuffer) => GuestMemory
}

/**
 * Compiles the engine, whose digest the caller has worked out. Throws if it is not built as the sandbox expects it.
 */
export async function compileEngine(
  binary: Uint8Array<ArrayBuffer>,
  { digest, memoryOf }: Pick<EngineCode, 'digest' | 'memoryOf'>,
): Promise<EngineCode> {
  const module = await WebAssembly.compile(binary)
  const names = WebAssembly.Module.exports(module).map((entry) => entry.name)
  const missing = EXPORT_NAMES.filter((name) => !names.includes(name))
  const imports = WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`)
  if (missing.length > 0) throw new Error(`engine.wasm has no ${missing.join(', ')}; build it again`)
  if (imports.join() !== 'host.memory') throw new Error(`engine.wasm wants more than memory: ${imports}`)
  const [realm] = WebAssembly.Module.customSections(module, 'realm')
  if (!realm) throw new Error('engine.wasm has no realm; build it again')
  return { module, realm: new TextDecoder().decode(realm), digest, memoryOf }
}

/**
 * All of an instance's state while nothing runs in it, but for the stack, which is zero then. Fits every instance of
 * the same engine with as much memory.
 */
export interface Snapshot {
  /** Static data of the C program, from address 0. */
  readonly data: Uint8Array
  /** The heap, without the zeros at its end. */
  readonly heap: Uint8Array
}

/** An empty memory of fixed size: it starts at its maximum, so it never moves and never grows. */
export function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.floor(bytes / PAGE_BYTES)
  return new WebAssembly.Memory({ initial: pages, maximum: pages })
}

/** One wasm instance. */
export class Engine {
  readonly exports: EngineExports
  readonly memory: GuestMemory
  readonly words: Uint32Array
  /** First address of the part that belongs to the host: the engine's heap ends before it. */
  readonly transfer: number
  readonly #stackEnd: number
  readonly #heapStart: number
  readonly #breakWord: number
  readonly #starvedWord: number
  readonly #pages: Pages

  /** Expects an empty memory. */
  constructor(code: EngineCode, memory: WebAssembly.Memory) {
    // The names were compared with EXPORT_NAMES when the code was loaded.
    this.exports = new WebAssembly.Instance(code.module, { host: { memory } }).exports as EngineExports
    this.memory = code.memoryOf(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    this.transfer = this.memory.length - this.exports.transferBytes.value
    this.#stackEnd = this.exports.stackEnd.value
    this.#heapStart = this.exports.heapStart.value
    this.#pages = new Pages(this.exports, this.memory)
    this.#breakWord = this.exports.breakAddress.value >> 2
    this.#starvedWord = this.exports.starvedAddress.value >> 2
  }

  /** Whether the script asked for memory that there was not, since the last `restore`. */
  get starved(): boolean {
    return this.words[this.#starvedWord] === 1
  }

  /** Whether a frame passed the end of the stack. True only after a trap. */
  get stackExhausted(): boolean {
    return this.exports.stackPointer.value < this.#stackEnd
  }

  /**
   * Empties the memory for the next instance, which may then start in it as in a new one. A new one for
   * each would wait for the garbage collector, which sees a few bytes where there are megabytes.
   */
  erase(): void {
    this.#pages.erase()
  }

  takeSnapshot(): Snapshot {
    const heapEnd = this.words[this.#breakWord] ?? this.#heapStart
    let used = heapEnd
    while (used > this.#heapStart && this.memory[used - 1] === 0) used--
    return {
      data: Uint8Array.prototype.slice.call(this.memory, 0, this.#stackEnd),
      heap: Uint8Array.prototype.slice.call(this.memory, this.#heapStart, used),
    }
  }

  /**
   * Puts the memory below the transfer area into exactly the state of the snapshot. The stack and what the heap has
   * above the snapshot are zeroed: the C code reads neither, but what one call left must not lie in reach of the next.
   * Where the memory was put into the same snapshot before, only pages that were written since are touched.
   */
  restore(snapshot: Snapshot): void {
    if (!this.#pages.putBack(snapshot)) this.#pages.putAll(snapshot)
  }
}
