import type { CaseResult, Problem } from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import { parseCasesFile, subjectOf } from '../cases/cases-file.ts'
import { type CasesOptions, type CasesReport, runCases } from '../cases/run-cases.ts'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { PinnedCatalogue } from '../catalogue/load-catalogue.ts'
import type { SourceFiles } from '../compile/built-version.ts'
import { definitionFiles } from '../compile/compile-modules.ts'
import { type CompiledPart, compilePart } from '../compile/compile-part.ts'
import { sourcesOf } from '../compile/policy-sources.ts'
import type { Engine } from '../program.ts'
import { runProperties } from '../properties/run-properties.ts'
import { createSandbox, type Sandbox } from '../sandbox/index.ts'
import { createEngine } from '../start-engine.ts'

const casesFile = /^tests\/.*\.cases\.ya?ml$/
/** Policies that are compiled by themselves; a change of more is a matter of the whole. */
const partMax = 8

/** What one look at a workspace found. */
export interface WatchReport {
  /** Errors and warnings; with an error among them nothing was run. */
  readonly problems: readonly Problem[]
  readonly results: readonly Static<typeof CaseResult>[]
  readonly durationMs: number
}

function reportOf(startMs: number, problems: readonly Problem[], cases?: CasesReport): WatchReport {
  return { problems, results: cases?.results ?? [], durationMs: Math.round(performance.now() - startMs) }
}

/** Files whose text differs between two readings of a workspace, those that came or went among them. */
export function changedBetween(before: SourceFiles, after: SourceFiles): ReadonlySet<string> {
  const paths = new Set([...before.keys(), ...after.keys()])
  return new Set([...paths].filter((path) => before.get(path) !== after.get(path)))
}

/**
 * Tests a workspace again and again while a person works on it. Engine and sandbox stay, and what did not change
 * is not looked at first.
 */
export class WatchSession {
  readonly #engine: Engine
  readonly #sandbox: Sandbox
  readonly #catalogue: PinnedCatalogue
  /** The files that each definition is made of. */
  readonly #sources = new Map<string, ReadonlySet<string>>()
  /** Where things under test are: `policy canary` → its file. */
  #places = new Map<string, string>()

  private constructor(engine: Engine, sandbox: Sandbox, catalogue: PinnedCatalogue) {
    this.#engine = engine
    this.#sandbox = sandbox
    this.#catalogue = catalogue
  }

  static async start(catalogue: PinnedCatalogue): Promise<WatchSession> {
    return new WatchSession(await createEngine(), await createSandbox(), catalogue)
  }

  get #around() {
    return { sandbox: this.#sandbox, catalogue: indexCatalogue(this.#catalogue.catalogue) }
  }

  #run(part: CompiledPart, files: SourceFiles, only?: CasesOptions['only']): Promise<CasesReport> {
    const shared = { engine: this.#engine, catalogue: this.#catalogue, coverage: false }
    return runCases(part, files, { ...shared, ...(only !== undefined && { only }) })
  }

  /** Definitions that a change touches; undefined where it may touch all of them. */
  #touched(files: SourceFiles, changed: ReadonlySet<string>): ReadonlySet<string> | undefined {
    const definitions = definitionFiles(files)
    const stale = definitions.filter((file) => {
      const known = this.#sources.get(file)
      return known === undefined || [...known].some((each) => changed.has(each))
    })
    for (const [file, sources] of sourcesOf(files, stale)) this.#sources.set(file, sources)
    const touched = new Set(definitions.filter((file) => stale.includes(file)))
    for (const path of changed) {
      if (casesFile.test(path)) {
        const { suite } = parseCasesFile(path, files.get(path) ?? '')
        for (const index of suite?.cases.keys() ?? []) {
          const place = suite === undefined ? undefined : this.#places.get(subjectOf(suite, index) ?? '')
          if (place !== undefined) touched.add(place)
        }
      } else if (!touched.has(path) && !/\.ts$/.test(path)) return undefined
    }
    return touched.size > partMax ? undefined : touched
  }

  /**
   * The first answer after a save: the policies that changed, compiled by themselves, and the cases about each
   * alone. Types, and cases that ask all policies together, are left to `whole` and to the type check. Undefined
   * where the change may touch everything.
   */
  async quick(files: SourceFiles, changed: ReadonlySet<string>): Promise<WatchReport | undefined> {
    const startMs = performance.now()
    const touched = this.#touched(files, changed)
    if (touched === undefined || touched.size === 0) return undefined
    const { part, problems } = await compilePart(files, touched, this.#around)
    if (part === null) return reportOf(startMs, problems)
    const { policies, guardrails } = part.compiled
    const own = [
      ...policies.map(({ id, file }) => [`policy ${id}`, file] as const),
      ...guardrails.map(({ id, file }) => [`guardrail ${id}`, file] as const),
    ].filter(([, file]) => touched.has(file))
    const subjects = new Set<string>(own.map(([subject]) => subject))
    for (const [subject, file] of own) this.#places.set(subject, file)
    const cases = await this.#run(part, files, (suite, index) => subjects.has(subjectOf(suite, index) ?? ''))
    return reportOf(startMs, [...problems, ...cases.problems], cases)
  }

  /** Notes what each definition is made of, so that the first change can be told from the rest. */
  learn(files: SourceFiles): void {
    for (const [file, sources] of sourcesOf(files, definitionFiles(files))) this.#sources.set(file, sources)
  }

  /** Everything but types: all policies, all cases, all properties. */
  async whole(files: SourceFiles): Promise<WatchReport> {
    const startMs = performance.now()
    const { part, problems } = await compilePart(files, 'all', this.#around)
    this.learn(files)
    if (part === null) return reportOf(startMs, problems)
    const { policies, guardrails } = part.compiled
    this.#places = new Map([
      ...policies.map(({ id, file }) => [`policy ${id}`, file] as const),
      ...guardrails.map(({ id, file }) => [`guardrail ${id}`, file] as const),
    ])
    const cases = await this.#run(part, files)
    const shared = { engine: this.#engine, catalogue: this.#catalogue }
    const properties = await runProperties(part, files, shared)
    const results = [...cases.results, ...properties.results]
    return { ...reportOf(startMs, [...problems, ...cases.problems], cases), results }
  }

  dispose(): void {
    this.#engine.dispose()
    this.#sandbox.dispose()
  }
}
