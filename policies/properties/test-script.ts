import { SourceMap } from 'node:module'
import type { Problem } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { bundle, testRuntimeModule } from '../compile/bundle.ts'
import { describeScriptError } from '../compile/load-script.ts'
import { ModuleGraph } from '../compile/module-graph.ts'
import { ProblemList } from '../compile/problem-list.ts'
import { DocumentError } from '../compile/source-document.ts'
import { type Position, startOfFile } from '../compile/text-position.ts'
import { parseTsSource, walk } from '../compile/ts-source.ts'
import type { ListedTest, RunQuestion, TestAnswer } from '../runtime/tests.ts'
import { type Sandbox, SandboxError, type SandboxImage } from '../sandbox/index.ts'

/** Questions that one run of a body may ask. */
const questionsMax = 100
/** Where a body threw, in the script: `policies.js:12:34`. */
const stackPlace = /policies\.js:(\d+):(\d+)/

export type Answers = RunQuestion['answers']
/** How a body ended. */
export interface TestEnd {
  readonly passed: boolean
  readonly message?: string
  /** `file:line:column` where it threw, as far as that is known. */
  readonly thrownAt?: string
}
/** What a body asked and was told, in order. */
export interface BodyRun extends TestEnd {
  readonly answers: Answers
}

/** Names of tests where they are written in place, by position. */
function placesOf(file: string, text: string): ReadonlyMap<string, Position> {
  const places = new Map<string, Position>()
  try {
    const source = parseTsSource(file, text)
    walk(source.program, (node) => {
      if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return true
      const { property } = node.callee
      const [name] = node.arguments
      const isTest = property.type === 'Identifier' && ['test', 'property'].includes(property.name)
      if (isTest && name?.type === 'Literal' && typeof name.value === 'string') {
        places.set(name.value, source.at(node))
      }
      return true
    })
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
  }
  return places
}

/** A `*.test.ts` loaded in a sandbox. */
export class TestScript {
  readonly file: string
  readonly tests: readonly ListedTest[]
  readonly #image: SandboxImage
  readonly #map: SourceMap
  readonly #places: ReadonlyMap<string, Position>

  constructor(file: string, text: string, loaded: { image: SandboxImage; map: string }) {
    this.file = file
    this.#image = loaded.image
    this.#map = new SourceMap(JSON.parse(loaded.map))
    this.#places = placesOf(file, text)
    // The runtime in the script is ours.
    this.tests = JSON.parse(this.#image.call('{"list":true}').output) as ListedTest[]
  }

  placeOf(name: string): Position {
    return this.#places.get(name) ?? startOfFile
  }

  #origin(stack: string | undefined): string | undefined {
    const [, line, column] = stackPlace.exec(stack ?? '') ?? []
    if (line === undefined || column === undefined) return undefined
    const entry = this.#map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry) || !this.#isAuthored(entry.originalSource)) return undefined
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  }

  #isAuthored(source: string): boolean {
    return source.startsWith('tests/') || source.startsWith('policies/')
  }

  /**
   * Runs a body to its end: where it asks something, it is answered and the body runs again from its start with
   * all answers so far, which gives the same questions, since nothing else differs. `guess`: answers to questions
   * that it will probably ask.
   */
  run(
    index: number,
    facts: object | null,
    options: { answer: (question: string) => Answers[number]; guess?: Answers },
  ): BodyRun {
    let answers = options.guess ?? []
    for (let asked = 0; asked <= questionsMax; asked++) {
      const question: RunQuestion = { run: index, facts, answers }
      const ended = this.#call(question)
      if (!('open' in ended)) return { ...ended, answers }
      answers = [...answers.slice(0, ended.at), options.answer(ended.open)]
    }
    return { passed: false, message: `asks more than ${questionsMax} questions`, answers }
  }

  #call(question: RunQuestion): TestEnd | { open: string; at: number } {
    try {
      const ended: TestAnswer = JSON.parse(this.#image.call(JSON.stringify(question)).output)
      if ('open' in ended) return ended
      const { passed, message } = ended
      const thrownAt = this.#origin(ended.stack)
      return {
        passed,
        ...(message !== undefined && { message }),
        ...(thrownAt !== undefined && { thrownAt }),
      }
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error
      return { passed: false, message: `the test broke the sandbox: ${error.kind}: ${error.message}` }
    }
  }
}

/**
 * Bundles a `*.test.ts` with what it imports and loads it in the sandbox. Where that does not work, the problems
 * with their places.
 */
export async function loadTestScript(
  file: string,
  files: SourceFiles,
  sandbox: Sandbox,
): Promise<TestScript | readonly Problem[]> {
  const problems = new ProblemList()
  const graph = new ModuleGraph(files, problems)
  const entry = [
    `import{createTests}from${JSON.stringify(testRuntimeModule)}`,
    `import${JSON.stringify(`./${file}`)}`,
    'export default createTests()',
  ].join('\n')
  const made = await bundle(
    { files, graph, modules: new Map(), definitions: [], freeze: false, entry },
    problems,
  )
  if (made === undefined) return problems.sorted()
  try {
    const image = sandbox.load(made.script, { fileName: 'policies.js' })
    return new TestScript(file, files.get(file) ?? '', { image, map: made.map })
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    const { message, origin } = describeScriptError(error, made)
    problems.add(origin?.file ?? file, origin?.position ?? startOfFile, { code: 'load_failed', message })
    return problems.sorted()
  }
}
