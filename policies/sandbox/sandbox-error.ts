/**
 * Why a script did not give an answer:
 * - `timeout`: it used up its fuel,
 * - `memory`: its heap or its stack was exhausted,
 * - `exception`: it threw, or did not do what is asked of it,
 * - `too_large`: source, input or output is over its limit.
 */
export type SandboxErrorKind = 'timeout' | 'memory' | 'exception' | 'too_large'

/** Where in the author's script. Both count from 1. */
export interface ScriptPosition {
  readonly line: number
  readonly column: number
}

interface SandboxErrorDetail extends Partial<ScriptPosition> {
  readonly kind: SandboxErrorKind
  readonly message: string
  readonly fuel: number
}

/**
 * The only error that `load` and `call` throw on purpose. `message` may hold text of the script's author.
 */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  readonly kind: SandboxErrorKind
  /** Fuel used until the end. */
  readonly fuel: number
  readonly line: number | undefined
  readonly column: number | undefined

  constructor({ kind, message, fuel, line, column }: SandboxErrorDetail) {
    super(message)
    this.kind = kind
    this.fuel = fuel
    this.line = line
    this.column = column
  }
}
