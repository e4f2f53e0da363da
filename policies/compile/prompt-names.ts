import { prepareVariables, variableProblem } from '../prompts/prompt-variables.ts'
import { didYouMean } from './near-name.ts'
import type { Finding } from './problem-list.ts'
import type { DocumentPath } from './source-document.ts'

/** Prompts of a workspace with the schemas of their variables; undefined for one that has errors of its own. */
export type PromptNames = ReadonlyMap<string, Readonly<Record<string, unknown>> | undefined>

/** Something that is wrong with a prompt in a plan. The path starts at the reference. */
export interface PromptFinding extends Finding {
  readonly path: DocumentPath
}

/** A value that is not known before the call. */
export const unknownValue = Symbol('a value that is not known yet')

/**
 * What is wrong with a prompt that a plan names and the variables that it gives, as far as it can be seen: values may
 * be `unknownValue`, and `variables` may be undefined where nothing of them is known.
 */
export function checkPromptUse(
  name: string,
  variables: Readonly<Record<string, unknown>> | undefined,
  prompts: PromptNames,
): PromptFinding[] {
  if (!prompts.has(name)) {
    const message = `unknown prompt "${name}"${didYouMean(name, prompts.keys())}`
    return [{ code: 'unknown_prompt', message, path: ['name'] }]
  }
  const declared = prompts.get(name)
  if (declared === undefined || variables === undefined) return []
  const known = prepareVariables(declared)
  const findings: PromptFinding[] = []
  for (const [variable, value] of Object.entries(variables)) {
    const path = ['variables', variable]
    if (!known.has(variable)) {
      const message = `the prompt "${name}" has no variable "${variable}"${didYouMean(variable, known.keys())}`
      findings.push({ code: 'unknown_variable', message, path })
    } else if (value !== unknownValue) {
      const own = { [variable]: declared[variable] }
      const problem = variableProblem(own, { [variable]: value })
      if (problem === undefined) continue
      const what = problem.message.replace(/^The prompt's variable "[^"]*" |\.$/g, '')
      findings.push({
        code: 'variable_type',
        message: `the variable "${variable}" of the prompt "${name}" ${what}; it is declared as ${JSON.stringify(declared[variable])}`,
        path,
      })
    }
  }
  for (const [variable, { mayLack, default: standard }] of known) {
    if (mayLack || standard !== undefined || Object.hasOwn(variables, variable)) continue
    const message = `the prompt "${name}" needs the variable "${variable}"`
    findings.push({ code: 'missing_variable', message, path: [] })
  }
  return findings
}
