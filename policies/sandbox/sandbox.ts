/**
 * Runs authors' scripts where they can do no harm: no host functions, no clock, no chance, a fixed memory,
 * counted fuel, and nothing left over from one call to the next. Every call starts from the same bytes
 * (`Engine.restore`), so nothing has to be proven about a script, and the same script and input give the
 * same output and fuel on every machine.
 */
import { EvalFlags, IntrinsicsFlags } from 'quickjs-emscripten-core'
import { createMemory, Engine, type EngineCode, type Snapshot } from './engine.ts'
import { Guest, type GuestAddresses, type TextBytesMax } from './guest.ts'
import { type SandboxLimits, withDefaults } from './limits.ts'
import { SandboxError } from './sandbox-error.ts'

/** No Date, Promise, Proxy, WeakRef, typed arrays. `Eval` is the engine's own need; `realm.js` hides it. */
const INTRINSICS =
  IntrinsicsFlags.BaseObjects |
  IntrinsicsFlags.Eval |
  IntrinsicsFlags.StringNormalize |
  IntrinsicsFlags.RegExp |
  IntrinsicsFlags.RegExpCompiler |
  IntrinsicsFlags.JSON |
  IntrinsicsFlags.MapSet
/**
 * Memories at most. Images that take turns, as those of the workspaces on the path of a call, each keep theirs and so
 * need no writing anew; of more images than this the one longest unused gives way.
 */
const SEATS_MAX = 8
const EVAL_FLAGS = EvalFlags.JS_EVAL_TYPE_GLOBAL | EvalFlags.JS_EVAL_FLAG_STRICT

/**
 * Where a script gets an error that it can catch; 8 KiB deeper the engine traps. So deep, the recursion that
 * needs most of the host's stack (`JSON.stringify`) takes 500 to 600 of its 984 KiB in V8's baseline code.
 */
const SCRIPT_STACK_BYTES = 40 * 1024

/** A loaded script. It holds bytes only, so it outlives the instance that loaded it. */
export interface SandboxImage {
  /** Its size in the host's memory. */
  readonly bytes: number
  /** Fuel of a call that is given no other limit. */
  readonly fuelMax: number
  /** What it is made of, for another sandbox of the same engine to adopt. */
  readonly parts: ImageParts
  /**
   * Calls the script's function. The input holds no NUL, and lone surrogates become U+FFFD.
   * Throws SandboxError.
   */
  call(input: string, options?: CallOptions): SandboxOutput
}

/** An image as data: it can go from one thread to another. */
export interface ImageParts extends Snapshot {
  /** Address of the script's function. */
  readonly functionValue: number
}

/** Limits of one call, where they are not those of the sandbox. */
export interface CallOptions {
  readonly fuelMax?: number
  readonly outputBytesMax?: number
}

export interface SandboxOutput {
  readonly output: string
  readonly fuel: number
}

export interface LoadOptions {
  /** Names the script in positions and stack traces. */
  readonly fileName: string
  /** Inputs of calls made before the image is taken, to fill QuickJS's caches. What they change stays. */
  readonly warmUp?: readonly string[]
}

export interface Sandbox {
  /** sha256 of `engine.wasm`, hex: with another engine a script can mean something else. */
  readonly engineDigest: string
  /**
   * Evaluates a script, in strict mode, whose last expression is a function from string to string; at most
   * 1 MB. Throws SandboxError.
   */
  load(source: string, options: LoadOptions): SandboxImage
  /** Makes an image of what another sandbox of the same engine loaded, also in another thread. */
  adopt(parts: ImageParts, options: Pick<LoadOptions, 'fileName'>): SandboxImage
  /** Gives the memory back. `load` and `call` throw from then on. */
  dispose(): void
}

/** Starts an engine and tries it out. Throws if this runtime cannot run it as intended. */
export function startSandbox(code: EngineCode, limits: Partial<SandboxLimits> = {}): Sandbox {
  const sandbox = new QuickJsSandbox(code, withDefaults(limits))
  selfTest(sandbox)
  return sandbox
}

class QuickJsSandbox implements Sandbox {
  readonly engineDigest: string
  readonly #code: EngineCode
  readonly #limits: SandboxLimits
  readonly #textBytesMax: TextBytesMax
  readonly #addresses: GuestAddresses
  /** A prepared context without any script, and in it the function that `realm.js` ends with. */
  readonly #base: Snapshot
  readonly #accept: number
  /** Most recently used first. None once disposed of. */
  #seats: Seat[] | undefined

  constructor(code: EngineCode, limits: SandboxLimits) {
    this.engineDigest = code.digest
    this.#code = code
    this.#limits = limits
    this.#textBytesMax = { input: limits.inputBytes, output: limits.outputBytes }

    const memory = createMemory(limits.memoryBytes)
    const engine = new Engine(code, memory)
    const { exports } = engine
    exports.initialise()
    const runtime = exports.QTS_NewRuntime()
    exports.QTS_RuntimeSetMaxStackSize(runtime, SCRIPT_STACK_BYTES)
    const context = exports.QTS_NewContext(runtime, INTRINSICS)
    this.#addresses = { context, undefinedValue: exports.QTS_GetUndefined() }
    const guest = new Guest(engine, this.#addresses)
    guest.begin(limits.loadFuel, 'realm.js')
    this.#accept = guest.evaluate(code.realm, EVAL_FLAGS)
    this.#base = engine.takeSnapshot()
    engine.restore(this.#base)
    this.#seats = [{ memory, guest, snapshot: this.#base }]
  }

  load(source: string, { fileName, warmUp = [] }: LoadOptions): SandboxImage {
    const start = { snapshot: this.#base, fuel: this.#limits.loadFuel, fileName }
    const parts = this.#run(start, (guest) => {
      const script = guest.evaluate(source, EVAL_FLAGS)
      const functionValue = guest.call(this.#accept, script)
      for (const input of warmUp) guest.callAndForget(functionValue, input, this.#textBytesMax)
      return { ...guest.engine.takeSnapshot(), functionValue }
    })
    return this.adopt(parts, { fileName })
  }

  adopt(parts: ImageParts, { fileName }: Pick<LoadOptions, 'fileName'>): SandboxImage {
    const limits = this.#limits
    return {
      bytes: parts.data.length + parts.heap.length,
      fuelMax: limits.fuel,
      parts,
      call: (input, { fuelMax = limits.fuel, outputBytesMax = limits.outputBytes } = {}) =>
        this.#run({ snapshot: parts, fuel: fuelMax, fileName }, (guest) => {
          const bytesMax = { input: limits.inputBytes, output: outputBytesMax }
          const output = guest.callWithText(parts.functionValue, input, bytesMax)
          return { output, fuel: guest.fuelUsed }
        }),
    }
  }

  dispose(): void {
    this.#seats = undefined
  }

  /**
   * The only way into the engine: from a snapshot, with a full tank, and after a trap never again. The memory is put
   * back at once, so that nothing of a call lies in it until the next.
   */
  #run<Result>(start: Start, use: (guest: Guest) => Result): Result {
    const { seat, guest } = this.#take(start.snapshot)
    guest.begin(start.fuel, start.fileName)
    try {
      const result = use(guest)
      guest.engine.restore(start.snapshot)
      return result
    } catch (error) {
      if (error instanceof SandboxError) {
        guest.engine.restore(start.snapshot)
        throw error
      }
      const explained = guest.explainTrap(error)
      seat.guest = undefined
      seat.snapshot = undefined
      guest.engine.erase()
      throw explained
    }
  }

  /** An instance whose memory is in the state of a snapshot: one that is already, else the one longest unused. */
  #take(snapshot: Snapshot): { seat: Seat; guest: Guest } {
    const seats = this.#seats
    if (seats === undefined) throw new Error('the sandbox has been disposed of')
    const at = seats.findIndex((each) => each.snapshot === snapshot)
    const seat = this.#seat(at, seats)
    if (seats[0] !== seat) {
      seats.splice(seats.indexOf(seat), 1)
      seats.unshift(seat)
    }
    seat.guest ??= new Guest(new Engine(this.#code, seat.memory), this.#addresses)
    if (seat.snapshot !== snapshot) seat.guest.engine.restore(snapshot)
    seat.snapshot = snapshot
    return { seat, guest: seat.guest }
  }

  #seat(at: number, seats: Seat[]): Seat {
    const known = seats[at]
    if (known !== undefined) return known
    const free = seats.find((each) => each.guest === undefined)
    if (free !== undefined) return free
    const last = seats.at(-1)
    if (last !== undefined && seats.length >= SEATS_MAX) return last
    const seat: Seat = {
      memory: createMemory(this.#limits.memoryBytes),
      guest: undefined,
      snapshot: undefined,
    }
    seats.push(seat)
    return seat
  }
}

/** A memory, with the instance in it, which stays in the state of a snapshot between its calls. */
interface Seat {
  readonly memory: WebAssembly.Memory
  /** None after a trap: the next use starts one. */
  guest: Guest | undefined
  snapshot: Snapshot | undefined
}

interface Start {
  readonly snapshot: Snapshot
  readonly fuel: number
  readonly fileName: string
}

/** The engine is used through its private interface: a mismatch must show here, not in a decision. */
function selfTest(sandbox: Sandbox): void {
  const source = '(input) => { if (input === "loop") for (;;); return input + "\\0" + JSON.stringify([1.5]) }'
  const image = sandbox.load(source, { fileName: 'self-test.js', warmUp: ['ü'] })
  const first = image.call('ü')
  const stopped = errorOf(() => image.call('loop'))
  const second = image.call('ü')
  const works = first.output === 'ü\0[1.5]' && first.fuel > 0
  const stops = stopped instanceof SandboxError && stopped.kind === 'timeout'
  const repeats = second.output === first.output && second.fuel === first.fuel
  if (works && stops && repeats) return
  throw new Error(`the engine does not work as built: ${JSON.stringify({ first, stopped, second })}`)
}

function errorOf(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}
