import { type CompiledPrompt, type PromptVariables, Refusal } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import { type RenderedMessage, renderPrompt } from '../prompts/render-prompt.ts'
import { CaseError } from './case-facts.ts'
import type { CaseRun, ReadyCase } from './case-run.ts'
import type { PromptSuite } from './cases-file.ts'
import { differences } from './expectation.ts'

interface Rendered {
  /** Of a prompt of one message. */
  readonly text?: string
  readonly messages?: readonly RenderedMessage[]
  readonly error?: string
  /** The variable that is wrong. */
  readonly variable?: string
}

/** What variables make of a prompt: its messages, or the error that says what is wrong with them. */
function render(prompt: CompiledPrompt, variables: PromptVariables, run: CaseRun): Rendered {
  try {
    const messages = renderPrompt(prompt, variables, {
      onSection: (section, shown) => run.coverage.addSection(section, shown),
    })
    const [only, second] = messages
    return second === undefined ? { text: only?.text ?? '', messages } : { messages }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { message, param } = error
    return { error: message, ...(param !== undefined && { variable: param.replace(/^variables\./, '') }) }
  }
}

/**
 * The cases of a file about a prompt.
 * @throws CaseError where the version has no such prompt.
 */
export function readyPromptCases(suite: PromptSuite, run: CaseRun): ReadyCase[] {
  const { prompts } = run.compiled
  const prompt = prompts.find(({ name }) => name === suite.prompt)
  if (prompt === undefined) {
    const names = prompts.map(({ name }) => name)
    throw new CaseError(`there is no prompt "${suite.prompt}"${didYouMean(suite.prompt, names)}`, ['prompt'])
  }
  return suite.cases.map((each, index) => ({
    name: each.name,
    index,
    run() {
      const rendered = render(prompt, each.variables ?? {}, run)
      const { text, messages, error, variable } = rendered
      run.coverage.addPrompt(prompt.name, messages === undefined ? 'refused' : 'rendered')
      return differences(each.expect ?? {}, { named: { text, messages, error, variable } })
    },
  }))
}
