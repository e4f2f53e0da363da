/** The start of a script that holds a `*.test.ts`. Runs inside the sandbox only. */
import { questions, registered, withModel } from '../authoring/test.ts'

/** The host's questions to a script of tests. */
export type TestsQuestion = { readonly list: true } | RunQuestion
export interface RunQuestion {
  /** Index of the test. */
  readonly run: number
  /** Facts of a property's run; null for a plain test. */
  readonly facts: object | null
  readonly answers: typeof questions.answers
}
export interface ListedTest {
  readonly suite: string
  readonly name: string
  readonly over: { readonly choices: Readonly<Record<string, unknown>>; readonly base?: string } | null
  readonly runs: number | null
}
/** `open`: the body asks this, and is to be run again with the answer at the place `at`. */
export type TestAnswer =
  | { readonly open: string; readonly at: number }
  | { readonly passed: boolean; readonly message?: string; readonly stack?: string }

const messageCharactersMax = 2000

function describeError(error: unknown): { message: string; stack?: string } {
  try {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, messageCharactersMax)
    const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : undefined
    return { message, ...(stack !== undefined && { stack: stack.slice(0, messageCharactersMax) }) }
  } catch {
    return { message: 'threw something that has no text' }
  }
}

function runTest({ run, facts, answers }: RunQuestion): TestAnswer {
  const test = registered[run]
  if (test === undefined) return { passed: false, message: `there is no test ${run}` }
  const given = withModel(facts ?? {})
  Object.assign(questions, { answers, asked: 0, open: undefined, given })
  let ended: TestAnswer
  try {
    const said: unknown = test.body(given)
    ended = said === false ? { passed: false, message: 'gave false' } : { passed: true }
  } catch (error) {
    ended = { passed: false, ...describeError(error) }
  }
  // Whatever the body made of it, a question without an answer comes first.
  const { open, asked } = questions
  return open === undefined ? ended : { open, at: asked - 1 }
}

/** The function that the sandbox calls: a question in JSON to an answer in JSON. */
export function createTests(): (input: string) => string {
  return (input) => {
    const question: TestsQuestion = JSON.parse(input)
    if ('run' in question) return JSON.stringify(runTest(question))
    return JSON.stringify(registered.map(({ body: _, ...listed }) => listed))
  }
}
