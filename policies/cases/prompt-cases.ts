import { Refusal } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'
import { splitPrompt } from '../compile/prompt-file.ts'
import { type PromptTemplate, type PromptVariables, renderPrompt } from '../prompts/render-prompt.ts'
import { CaseError } from './case-facts.ts'
import type { CaseRun, ReadyCase } from './case-run.ts'
import type { PromptSuite } from './cases-file.ts'
import { differences } from './expectation.ts'

/** What variables make of a prompt: its text, or the error that says what is wrong with them. */
function render(template: PromptTemplate, variables: PromptVariables): { text?: string; error?: string } {
  try {
    return { text: renderPrompt(template, variables) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { error: error.message }
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
    throw new CaseError(`there is no prompt "${suite.prompt}"${didYouMean(suite.prompt, names)}`)
  }
  const source = run.files.get(prompt.file) ?? ''
  const body = source.slice(splitPrompt(source)?.bodyStart ?? 0)
  // The compiler checked that each of them is a schema.
  const variables = prompt.variables as PromptTemplate['variables']
  return suite.cases.map((each, index) => ({
    name: each.name,
    index,
    run() {
      const { text, error } = render({ body, variables }, each.variables ?? {})
      return differences(each.expect, { named: { text, error } })
    },
  }))
}
