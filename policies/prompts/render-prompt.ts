import { Refusal } from '@signalbox/sdk/contract'
import { compileSchema } from '@signalbox/sdk/node'

/** A prompt with the schemas of its variables. */
export interface PromptTemplate {
  readonly body: string
  readonly variables: Readonly<Record<string, object>>
}
export type PromptVariables = Readonly<Record<string, string | number | boolean>>

/** `{{name}}`, with blanks inside; `\{{` is two braces and no placeholder. */
const placeholder = /\\\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}/g
export const renderedCharactersMax = 1_000_000

/** The placeholders of a body, in order. */
export function placeholdersOf(body: string): { readonly name: string; readonly offset: number }[] {
  return [...body.matchAll(placeholder)].flatMap(({ 1: name, index }) =>
    name === undefined ? [] : [{ name, offset: index }],
  )
}

function refuse(name: string, message: string): never {
  throw new Refusal('invalid_request', { message, param: `variables.${name}` })
}

function checkVariables({ variables }: PromptTemplate, values: PromptVariables): void {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(variables, name)) refuse(name, `The prompt has no variable "${name}".`)
  }
  for (const [name, schema] of Object.entries(variables)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) refuse(name, `The prompt's variable "${name}" is missing.`)
    if (!compileSchema(schema)(value)) refuse(name, `The prompt's variable "${name}" is not of its type.`)
  }
}

/**
 * Fills the variables into a prompt. One pass from left to right: what a value holds is text, and is never read as a
 * placeholder. All variables are needed, no other is taken.
 * Throws a Refusal `invalid_request` that names the variable.
 */
export function renderPrompt(template: PromptTemplate, values: PromptVariables): string {
  checkVariables(template, values)
  const rendered = template.body.replace(placeholder, (written, name: string | undefined) => {
    if (name === undefined) return '{{'
    return Object.hasOwn(values, name) ? String(values[name]) : written
  })
  if (rendered.length > renderedCharactersMax) {
    throw new Refusal('request_too_large', {
      message: `The prompt is over ${renderedCharactersMax} characters with its variables.`,
    })
  }
  return rendered
}
