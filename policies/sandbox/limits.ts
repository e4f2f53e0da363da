export interface SandboxLimits {
  /**
   * For one call: loop turns and function entries of the engine + bytes of its bulk memory operations / 16.
   */
  readonly fuel: number
  /** For one `load`, its warm-up calls included. */
  readonly loadFuel: number
  /** Of the engine: 0.14 MB of static data and stack, 1 MiB that belongs to the host, the rest is heap. */
  readonly memoryBytes: number
  /** Of one input as UTF-8. */
  readonly inputBytes: number
  /** Of one output as UTF-8. */
  readonly outputBytes: number
}

/** 1,000,000 fuel is 2 to 10 ms of the worst kind of work. */
const DEFAULTS: SandboxLimits = {
  fuel: 1_000_000,
  loadFuel: 100_000_000,
  memoryBytes: 8 * 1024 * 1024,
  inputBytes: 64 * 1024,
  outputBytes: 64 * 1024,
}

/**
 * Fuel: the engine's counter has 31 bits, and one bulk operation can cost 2^28. Input: the transfer area is
 * 1 MiB.
 */
const RANGES: Readonly<Record<keyof SandboxLimits, readonly [min: number, max: number]>> = {
  fuel: [1, 2 ** 30],
  loadFuel: [1, 2 ** 30],
  memoryBytes: [3 * 1024 * 1024, 256 * 1024 * 1024],
  inputBytes: [1, 1_000_000],
  outputBytes: [1, 1_000_000],
}

/** The defaults, changed as asked. Throws a RangeError that names the limit which is out of range. */
export function withDefaults(changes: Partial<SandboxLimits>): SandboxLimits {
  const limits = { ...DEFAULTS, ...changes }
  // The keys of a literal.
  for (const name of Object.keys(RANGES) as (keyof SandboxLimits)[]) {
    const [min, max] = RANGES[name]
    const value = limits[name]
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`sandbox limit ${name} is ${value}, not a whole number from ${min} to ${max}`)
    }
  }
  return limits
}
