/**
 * QuickJS inside one engine instance, by its raw interface: evaluate, call, strings in and out. Values are
 * addresses of `JSValue`s. Almost nothing is freed: before each use the engine is put back to a snapshot,
 * which frees all at once.
 */
import type { Engine } from './engine.ts'
import { SandboxError, type SandboxErrorKind, type ScriptPosition } from './sandbox-error.ts'

const SOURCE_BYTES_MAX = 1_000_000
const FILE_NAME_BYTES_MAX = 256
const ERROR_BYTES_MAX = 16_384
const ERROR_CHARACTERS_MAX = 1_000
/** The longest character in UTF-8: room to see that a text went over its limit. */
const CHARACTER_BYTES_MAX = 4

/** A C string given out by QuickJS is the text of a `JSString`, whose header says how many bytes it has. */
const LENGTH_BEFORE_TEXT = 12
const LENGTH_MASK = 0x7fff_ffff

/** Addresses in the snapshots of one sandbox, the same in each of its instances. */
export interface GuestAddresses {
  readonly context: number
  readonly undefinedValue: number
}

/** Limits of input and output as UTF-8. */
export interface TextBytesMax {
  readonly input: number
  readonly output: number
}

export class Guest {
  readonly engine: Engine
  readonly #addresses: GuestAddresses
  /** Transfer area: the argument list, then text. */
  readonly #argumentList: number
  readonly #text: number
  #fuelLimit = 0
  #fileName = ''

  constructor(engine: Engine, addresses: GuestAddresses) {
    this.engine = engine
    this.#addresses = addresses
    this.#argumentList = engine.transfer
    this.#text = engine.transfer + 16
  }

  /** Fills the tank. `fileName` is the script whose positions errors should give. */
  begin(fuel: number, fileName: string): void {
    this.#fuelLimit = fuel
    this.#fileName = fileName
    this.engine.exports.fuel.value = fuel
  }

  /** Since `begin`; all of it after running out. */
  get fuelUsed(): number {
    return this.#fuelLimit - Math.max(this.engine.exports.fuel.value, 0)
  }

  /** Runs a script and gives the value of its last expression. */
  evaluate(source: string, flags: number): number {
    const { memory, exports } = this.engine
    const bytes = this.#writeText(source, this.#text, SOURCE_BYTES_MAX, 'script')
    const name = this.#text + bytes + 1
    const nameBytes = this.#writeText(this.#fileName, name, FILE_NAME_BYTES_MAX, 'file name')
    const value = exports.QTS_Eval(this.#addresses.context, this.#text, bytes, name, 0, flags)
    memory.fill(0, this.#text, name + nameBytes)
    return this.#unlessThrown(value)
  }

  /** Calls a function with one value. */
  call(functionValue: number, value: number): number {
    const { words, exports } = this.engine
    const { context, undefinedValue } = this.#addresses
    words[this.#argumentList >> 2] = value
    return this.#unlessThrown(exports.QTS_Call(context, functionValue, undefinedValue, 1, this.#argumentList))
  }

  /** Calls a function from string to string. */
  callWithText(functionValue: number, input: string, bytesMax: TextBytesMax): string {
    const { memory, words, exports } = this.engine
    const value = this.call(functionValue, this.#newText(input, bytesMax.input))
    const output = exports.QTS_GetString(this.#addresses.context, value)
    if (output === 0) throw this.#error('memory', 'out of memory')
    const outputBytes = (words[(output - LENGTH_BEFORE_TEXT) >> 2] ?? 0) & LENGTH_MASK
    if (outputBytes > bytesMax.output) {
      throw this.#error(
        'too_large',
        `output has ${outputBytes} bytes, at most ${bytesMax.output} are allowed`,
      )
    }
    return memory.toString('utf8', output, output + outputBytes)
  }

  /** The same call for its side effects. What it took is freed, else it would end up in the snapshot. */
  callAndForget(functionValue: number, input: string, bytesMax: TextBytesMax): void {
    const { context } = this.#addresses
    const value = this.#newText(input, bytesMax.input)
    this.engine.exports.QTS_FreeValuePointer(context, this.call(functionValue, value))
    this.engine.exports.QTS_FreeValuePointer(context, value)
  }

  /** What to tell of a trap, or of the host's stack ending. Anything else is our bug and comes back as is. */
  explainTrap(error: unknown): unknown {
    const trap = error instanceof WebAssembly.RuntimeError ? error : undefined
    const hostStack = error instanceof RangeError
    if (!trap && !hostStack) return error
    if (this.engine.exports.fuel.value < 0) return this.#error('timeout', 'out of fuel')
    if (hostStack || this.engine.stackExhausted) return this.#error('memory', 'stack exhausted')
    return this.#error(this.engine.starved ? 'memory' : 'exception', `the engine stopped: ${trap?.message}`)
  }

  #newText(text: string, bytesMax: number): number {
    const bytes = this.#writeText(text, this.#text, bytesMax, 'input')
    const value = this.engine.exports.QTS_NewString(this.#addresses.context, this.#text)
    this.engine.memory.fill(0, this.#text, this.#text + bytes)
    return this.#unlessThrown(value)
  }

  /** Writes NUL-terminated UTF-8 and returns its bytes. */
  #writeText(text: string, address: number, bytesMax: number, what: string): number {
    const { memory } = this.engine
    const bytes = memory.write(text, address, bytesMax + CHARACTER_BYTES_MAX)
    memory[address + bytes] = 0
    const tooLarge = bytes > bytesMax
    if (!tooLarge && memory.indexOf(0, address) === address + bytes) return bytes
    memory.fill(0, address, address + bytes)
    if (tooLarge) throw this.#error('too_large', `${what} has more than ${bytesMax} bytes`)
    throw this.#error('exception', `${what} holds a NUL character`)
  }

  #unlessThrown(value: number): number {
    const { exports } = this.engine
    const thrown = exports.QTS_ResolveException(this.#addresses.context, value)
    if (thrown === 0) return value
    const text = this.#textAt(exports.QTS_Dump(this.#addresses.context, thrown))
    const { message, position } = describe(text, this.#fileName)
    if (!this.engine.starved) throw this.#error('exception', message, position)
    // Without memory there is often no error to make either: `null` is thrown instead.
    throw this.#error('memory', position ? message : 'out of memory', position)
  }

  #textAt(address: number): string {
    if (address === 0) return ''
    const end = Math.min(this.engine.memory.indexOf(0, address), address + ERROR_BYTES_MAX)
    return this.engine.memory.toString('utf8', address, end)
  }

  #error(kind: SandboxErrorKind, message: string, position?: ScriptPosition): SandboxError {
    return new SandboxError({ kind, message, fuel: this.fuelUsed, ...position })
  }
}

/** Reads what `QTS_Dump` makes of a thrown value: JSON; of an Error its `name`, `message` and `stack`. */
function describe(dump: string, fileName: string): { message: string; position: ScriptPosition | undefined } {
  let thrown: unknown
  try {
    thrown = JSON.parse(dump)
  } catch {
    thrown = dump
  }
  // Any value can be asked for members once it is an object.
  const { name, message, stack } = Object(thrown) as Record<string, unknown>
  const isError = typeof name === 'string' && typeof message === 'string' && typeof stack === 'string'
  const text = isError ? `${name}: ${message}` : `threw ${dump}`
  return {
    message: text.slice(0, ERROR_CHARACTERS_MAX),
    position: isError ? firstPosition(stack, fileName) : undefined,
  }
}

/** The innermost frame in the author's script: `at rule (file.js:3:14)`, for syntax `at file.js:3:14`. */
function firstPosition(stack: string, fileName: string): ScriptPosition | undefined {
  for (const frame of stack.split('\n')) {
    const at = frame.lastIndexOf(`${fileName}:`)
    const [, line, column] = at < 0 ? [] : (/^(\d+):(\d+)/.exec(frame.slice(at + fileName.length + 1)) ?? [])
    if (line && column) return { line: Number(line), column: Number(column) }
  }
  return undefined
}
