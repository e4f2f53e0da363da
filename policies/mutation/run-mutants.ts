import { setImmediate } from 'node:timers/promises'
import { asksAll, subjectOf } from '../cases/cases-file.ts'
import { type CasesOptions, runCases } from '../cases/run-cases.ts'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { SourceFiles } from '../compile/built-version.ts'
import { type CompiledPart, compilePart } from '../compile/compile-part.ts'
import { type PropertiesOptions, runProperties } from '../properties/run-properties.ts'
import { createSandbox, type Sandbox } from '../sandbox/index.ts'
import { applyEdit, type Mutant } from './edits.ts'
import { findMutants } from './find-mutants.ts'

/** A wrong version that no case, test or property objected to. */
export interface Survivor {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly description: string
}
export interface MutationReport {
  readonly killed: number
  readonly survivors: readonly Survivor[]
  /** Not counted: they do not compile, or give the very script of the right version. */
  readonly invalid: number
  /** Left out when the time was over. */
  readonly notRun: number
  readonly durationMs: number
}
export interface MutationOptions
  extends Pick<CasesOptions, 'engine' | 'catalogue'>,
    Pick<PropertiesOptions, 'seed' | 'runs'> {
  readonly timeLimitMs: number
  /** Which files are changed; all policies and guardrails if left out. */
  readonly wanted?: (file: string) => boolean
  readonly onProgress?: (done: number, all: number) => void
}
type Outcome = 'killed' | 'survived' | 'invalid'

/** Facts that each property tries for one mutant: the same ones in every run, and fewer than in a test. */
const propertyRuns = 50

/** Tries one wrong version after the other against the cases, then against tests and properties. */
class MutantRunner {
  readonly #files: SourceFiles
  readonly #options: MutationOptions
  readonly #around: { sandbox: Sandbox; catalogue: ReturnType<typeof indexCatalogue> }
  /** Scripts of the right version, by the file they are about. */
  readonly #scripts = new Map<string, string>()

  constructor(files: SourceFiles, options: MutationOptions, sandbox: Sandbox) {
    this.#files = files
    this.#options = options
    this.#around = { sandbox, catalogue: indexCatalogue(options.catalogue.catalogue) }
  }

  async #rightScript(file: string): Promise<string> {
    const known = this.#scripts.get(file)
    if (known !== undefined) return known
    const { part } = await compilePart(this.#files, new Set([file]), this.#around)
    this.#scripts.set(file, part?.script ?? '')
    return part?.script ?? ''
  }

  /** Whether some of the cases fail; those about all policies need all of them compiled. */
  async #isKilled(
    part: CompiledPart,
    files: SourceFiles,
    only: NonNullable<CasesOptions['only']>,
  ): Promise<boolean> {
    const { engine, catalogue } = this.#options
    const report = await runCases(part, files, { engine, catalogue, only, bail: true, coverage: false })
    return report.failed > 0
  }

  async run(mutant: Mutant): Promise<Outcome> {
    const { file } = mutant
    const files = new Map(this.#files)
    files.set(file, applyEdit(files.get(file) ?? '', mutant))
    const { part } = await compilePart(files, new Set([file]), this.#around)
    if (part === null || part.script === (await this.#rightScript(file))) return 'invalid'
    const subjects = new Set([
      ...part.compiled.policies.map(({ id }) => `policy ${id}`),
      ...part.compiled.guardrails.flatMap((each) => (each.file === file ? [`guardrail ${each.id}`] : [])),
    ])
    const isOwn: CasesOptions['only'] = (suite, index) => subjects.has(subjectOf(suite, index) ?? '')
    if (await this.#isKilled(part, files, isOwn)) return 'killed'
    const whole = await compilePart(files, 'all', this.#around)
    if (whole.part === null) return 'invalid'
    if (await this.#isKilled(whole.part, files, asksAll)) return 'killed'
    return (await this.#isFalsified(whole.part, files)) ? 'killed' : 'survived'
  }

  /** Whether a `*.test.ts` fails; asked last, since properties try many facts. */
  async #isFalsified(part: CompiledPart, files: SourceFiles): Promise<boolean> {
    const { engine, catalogue, seed, runs = propertyRuns } = this.#options
    const options = { engine, catalogue, runs, ...(seed !== undefined && { seed }) }
    const { results } = await runProperties(part, files, options)
    return results.some(({ passed }) => !passed)
  }
}

/**
 * Changes one thing at a time in the policies and guardrails of a workspace, and sees whether some case, test or
 * property objects.
 * Only for a workspace that builds and whose tests pass. The order is that of files and places.
 */
export async function runMutants(
  version: CompiledPart,
  files: SourceFiles,
  options: MutationOptions,
): Promise<MutationReport> {
  const startMs = performance.now()
  const mutants = findMutants(files, version.compiled, options.wanted ?? (() => true))
  const sandbox = await createSandbox()
  const counts = { killed: 0, survived: 0, invalid: 0 }
  const survivors: Survivor[] = []
  let done = 0
  try {
    const runner = new MutantRunner(files, options, sandbox)
    for (const mutant of mutants) {
      if (performance.now() - startMs > options.timeLimitMs) break
      const outcome = await runner.run(mutant)
      counts[outcome]++
      const { file, line, column, description } = mutant
      if (outcome === 'survived') survivors.push({ file, line, column, description })
      done++
      options.onProgress?.(done, mutants.length)
      await setImmediate()
    }
  } finally {
    sandbox.dispose()
  }
  const { killed, invalid } = counts
  const durationMs = Math.round(performance.now() - startMs)
  return { killed, survivors, invalid, notRun: mutants.length - done, durationMs }
}
