import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import type { BuiltVersion, SourceFiles } from '../compile/built-version.ts'
import { LayerPath, namesOf } from '../evaluation/layer-path.ts'
import type { Engine, Program } from '../program.ts'
import { CoverageCounter } from './coverage.ts'

/** A route that no call has: facts name at most 128 characters. */
const noRoute = '\u0000'.repeat(129)

/**
 * The version as if all other policies were about other calls, so that none of them chooses or denies first.
 */
function aloneIn(compiled: CompiledWorkspace, policy: string): CompiledWorkspace {
  const policies = compiled.policies.map((each) =>
    each.id === policy ? each : { ...each, match: { route: noRoute } },
  )
  return { ...compiled, policies }
}

/** How a program differs from the one that an environment runs. */
export interface ProgramVariant {
  /** Only this policy is asked. */
  readonly only?: string
  /** No facts are handed over, so that a condition that reads any throws. */
  readonly blind?: boolean
}

/** What the cases of one run share. */
export class CaseRun {
  readonly version: BuiltVersion
  readonly files: SourceFiles
  readonly catalogue: CatalogueIndex
  readonly coverage = new CoverageCounter()
  /** The most fuel that one evaluation took. */
  fuelMax = 0
  readonly #engine: Engine
  readonly #programs = new Map<string, Program>()

  constructor(
    version: BuiltVersion,
    files: SourceFiles,
    options: { engine: Engine; catalogue: CatalogueIndex },
  ) {
    this.version = version
    this.files = files
    this.catalogue = options.catalogue
    this.#engine = options.engine
  }

  get compiled(): CompiledWorkspace {
    return this.version.compiled
  }

  /** What names mean in an environment. */
  names(environment: string): LayerPath {
    return new LayerPath([0], [namesOf(this.compiled, environment)])
  }

  /** The version as an environment runs it, or a variant of it; each is loaded once. */
  program(environment: string, variant: ProgramVariant = {}): Program {
    const { only, blind = false } = variant
    const key = JSON.stringify([environment, only, blind])
    const known = this.#programs.get(key)
    if (known !== undefined) return known
    const { digest, script } = this.version
    const asked = only === undefined ? this.compiled : aloneIn(this.compiled, only)
    const compiled = blind ? { ...asked, reads: [] } : asked
    const nodePath = compiled.node === '' ? [] : compiled.node.split('/')
    const program = this.#engine.load([{ digest, script, compiled, nodePath }], { environment })
    this.#programs.set(key, program)
    return program
  }

  countFuel(fuel: number): void {
    this.fuelMax = Math.max(this.fuelMax, fuel)
  }

  dispose(): void {
    for (const program of this.#programs.values()) program.dispose()
  }
}

/** One case ready to run; `run` gives what differs from what was expected. */
export interface ReadyCase {
  readonly name: string
  /** Where in the file it stands. */
  readonly index: number
  /** @throws CaseError where it cannot be run as it is written. */
  run(): string[]
}
