import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { CaseResult } from '@signalbox/sdk/contract'
import * as fc from 'fast-check'
import type { Static } from 'typebox'
import { stringify } from 'yaml'
import { CaseError } from '../cases/case-facts.ts'
import { CaseRun, environmentDefault, type TestedVersion } from '../cases/case-run.ts'
import { inputOf } from '../cases/evaluate-case.ts'
import type { CasesOptions } from '../cases/run-cases.ts'
import { indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { SourceFiles } from '../compile/built-version.ts'
import type { ListedTest } from '../runtime/tests.ts'
import { createSandbox } from '../sandbox/index.ts'
import { BodyQuestions, shownFacts } from './body-questions.ts'
import { FactArbitraries, type FactSet } from './fact-arbitraries.ts'
import { type Answers, loadTestScript, type TestEnd, type TestScript } from './test-script.ts'

type Result = Static<typeof CaseResult>
export const testFile = /^tests\/.*\.test\.ts$/
const runsDefault = 200
const runsMax = 100_000
const messageCharsMax = 4096
/** Time of one property; it then counts as tried as often as it was. */
const propertyMsMax = 60_000
/** Tests have more room than policies: they build documents and compare them. */
const testLimits = {
  fuel: 50_000_000,
  loadFuel: 500_000_000,
  memoryBytes: 32 * 1024 * 1024,
  inputBytes: 1_000_000,
  outputBytes: 1_000_000,
} as const

export interface PropertiesOptions extends Pick<CasesOptions, 'engine' | 'catalogue'> {
  /** Where the random choices start; made from the names of file and property if left out, so that CI repeats. */
  readonly seed?: number
  /** How many facts each property tries, whatever it says itself. */
  readonly runs?: number
  /** Which files are run; all if left out. */
  readonly only?: (path: string) => boolean
}
export interface PropertiesReport {
  /** One per test and property, in the order of files; an error in a file is a failed one of its own. */
  readonly results: Result[]
  /** Facts that were tried for all properties together. */
  readonly runs: number
  readonly durationMs: number
}

/** A number that is the same in every run. */
function seedOf(...parts: readonly string[]): number {
  return createHash('sha256').update(parts.join('\u0000')).digest().readInt32LE(0)
}

/** Carries how a body ended through the search for smaller facts. */
class Falsified extends Error {
  readonly end: TestEnd
  constructor(end: TestEnd) {
    super(end.message ?? 'does not hold')
    this.end = end
  }
}

function describeEnd({ message = 'does not hold', thrownAt }: TestEnd): string {
  return thrownAt === undefined ? message : `${message}\n  at ${thrownAt}`
}

/** Facts as the `set:` of a case, so that they can be kept as one. */
function describeSet(set: FactSet): string {
  if (Object.keys(set).length === 0) return '  set: {}'
  const lines = Object.entries(set).map(([path, value]) => {
    const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()
    return `    ${path}: ${text}`
  })
  return ['  set:', ...lines].join('\n')
}

/** Answers that can be given before they are asked for: those about the very facts of a run. */
function guessable(answers: Answers): string[] {
  const texts = answers.map(({ question }) => question)
  const first = texts.findIndex((text) => !text.includes('"f":"given"'))
  return first === -1 ? texts : texts.slice(0, first)
}

class FileRunner {
  readonly #script: TestScript
  readonly #run: CaseRun
  readonly #arbitraries: FactArbitraries
  readonly #options: PropertiesOptions
  tried = 0

  constructor(script: TestScript, run: CaseRun, options: PropertiesOptions) {
    this.#script = script
    this.#run = run
    this.#options = options
    this.#arbitraries = new FactArbitraries(run.compiled, run.program(environmentDefault).candidates)
  }

  #base({ base }: { readonly base?: string }): unknown {
    if (base === undefined) return {}
    const text = this.#run.files.get(base)
    if (text === undefined) throw new CaseError(`there is no file ${base}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new CaseError(`${base} is not JSON`)
    }
  }

  #property(index: number, test: ListedTest & { over: NonNullable<ListedTest['over']> }): string | undefined {
    const given = this.#base(test.over)
    let questions: string[] = []
    const holds = (set: FactSet): void => {
      this.tried++
      const environment = environmentDefault
      const input = inputOf(this.#run, { environment, params: {}, given, set })
      const body = new BodyQuestions(this.#run, input)
      const guess = questions.map((question) => body.answer(question))
      const answer = (question: string) => body.answer(question)
      const { answers, ...end } = this.#script.run(index, shownFacts(input), { answer, guess })
      questions = guessable(answers)
      if (!end.passed) throw new Falsified(end)
    }
    const seed = this.#options.seed ?? seedOf(this.#script.file, test.suite, test.name)
    const wanted = this.#options.runs ?? test.runs ?? runsDefault
    const numRuns = Math.max(1, Math.min(runsMax, Math.floor(wanted)))
    const details = fc.check(fc.property(this.#arbitraries.sets(test.over.choices), holds), {
      seed,
      numRuns,
      interruptAfterTimeLimit: propertyMsMax,
    })
    if (!details.failed) return undefined
    const error = details.errorInstance
    if (!(error instanceof Falsified)) throw error instanceof Error ? error : new Error(String(error))
    const [set = {}] = details.counterexample ?? []
    const how = `after ${details.numRuns} runs, made smaller ${details.numShrinks} times; seed ${seed}`
    return `${describeEnd(error.end)}\n  does not hold for (${how}):\n${describeSet(set)}`
  }

  #plain(index: number): string | undefined {
    const body = new BodyQuestions(this.#run)
    const end = this.#script.run(index, null, { answer: (question) => body.answer(question) })
    return end.passed ? undefined : describeEnd(end)
  }

  #message(index: number, test: ListedTest): string | undefined {
    try {
      const { over } = test
      return over === null ? this.#plain(index) : this.#property(index, { ...test, over })
    } catch (error) {
      if (!(error instanceof CaseError)) throw error
      return error.message
    }
  }

  async results(): Promise<Result[]> {
    const results: Result[] = []
    for (const [index, test] of this.#script.tests.entries()) {
      const message = this.#message(index, test)
      const { line, column } = this.#script.placeOf(test.name)
      const name = `${test.suite}: ${test.name}`
      const place = { file: this.#script.file, name, line, column }
      results.push(
        message === undefined
          ? { ...place, passed: true }
          : { ...place, passed: false, message: message.slice(0, messageCharsMax) },
      )
      await setImmediate()
    }
    return results
  }
}

/**
 * Runs every `tests/**\/*.test.ts` of a workspace. Bodies run in a sandbox of their own, policies in the production
 * engine; facts are made up from the schema, the workspace and what the author chose, and made smaller where
 * something does not hold.
 */
export async function runProperties(
  version: TestedVersion,
  files: SourceFiles,
  options: PropertiesOptions,
): Promise<PropertiesReport> {
  const startMs = performance.now()
  const paths = [...files.keys()]
    .filter((path) => testFile.test(path) && (options.only?.(path) ?? true))
    .sort()
  const results: Result[] = []
  let runs = 0
  if (paths.length === 0) return { results, runs, durationMs: 0 }
  const { engine, catalogue } = options
  const run = new CaseRun(version, files, { engine, catalogue: indexCatalogue(catalogue.catalogue) })
  const sandbox = await createSandbox(testLimits)
  try {
    for (const path of paths) {
      const script = await loadTestScript(path, files, sandbox)
      if ('tests' in script) {
        const runner = new FileRunner(script, run, options)
        results.push(...(await runner.results()))
        runs += runner.tried
        if (script.tests.length > 0) continue
        const message = 'registers no test: call suite(…), and t.test(…) or t.property(…) in it'
        results.push({ file: path, name: 'the file has tests', passed: false, line: 1, column: 1, message })
        continue
      }
      for (const { file, line, column, message } of script) {
        results.push({ file, name: 'the file is valid', passed: false, line, column, message })
      }
    }
  } finally {
    sandbox.dispose()
    run.dispose()
  }
  return { results, runs, durationMs: Math.round(performance.now() - startMs) }
}
