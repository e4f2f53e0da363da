import { type CompiledWorkspace, planFeatures } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import type { BuiltVersion, SourceFiles } from '../compile/built-version.ts'
import { LayerPath, namesOf } from '../evaluation/layer-path.ts'
import type { Engine, Program } from '../program.ts'
import { CoverageCounter } from './coverage.ts'
import { FuelCounter } from './fuel-counter.ts'

/** The environment of cases that name none. */
export const environmentDefault = 'development'

/** What of a version its cases need. */
export type TestedVersion = Pick<BuiltVersion, 'digest' | 'script' | 'compiled'>

/** What the cases of one run share. */
export class CaseRun {
  readonly version: TestedVersion
  readonly files: SourceFiles
  readonly catalogue: CatalogueIndex
  readonly coverage = new CoverageCounter()
  readonly fuel = new FuelCounter()
  readonly #engine: Engine
  readonly #programs = new Map<string, Program>()

  constructor(
    version: TestedVersion,
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

  /** The version as an environment runs it, loaded once. */
  program(environment: string): Program {
    const known = this.#programs.get(environment)
    if (known !== undefined) return known
    const { digest, script, compiled } = this.version
    const nodePath = compiled.node === '' ? [] : compiled.node.split('/')
    const loaded = [{ digest, script, compiled, nodePath }]
    // Cases tell of all plans, also of those that the gateway cannot carry out yet.
    const program = this.#engine.load(loaded, { environment, features: planFeatures })
    this.#programs.set(environment, program)
    return program
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
