import {
  type CompiledPrompt,
  type PromptPart,
  type PromptRole,
  type PromptValue,
  type PromptVariables,
  Refusal,
} from '@signalbox/sdk/contract'
import { variableProblem, withDefaults } from './prompt-variables.ts'

export interface RenderedMessage {
  readonly role: PromptRole
  readonly text: string
}
type Section = Extract<PromptPart, { section: string }>
export interface RenderOptions {
  /** Called for every section that is come by, and whether it is shown. */
  readonly onSection?: (section: Section, shown: boolean) => void
}

/** Characters of all messages of a rendered prompt together. */
export const renderedCharactersMax = 1_000_000

/** Walks the parts of a template once; what a value holds goes out as it is and is not looked at again. */
class Renderer {
  readonly #values: ReadonlyMap<string, PromptValue>
  readonly #options: RenderOptions
  #characters = 0
  #out: string[] = []

  constructor(values: ReadonlyMap<string, PromptValue>, options: RenderOptions) {
    this.#values = values
    this.#options = options
  }

  message(parts: readonly PromptPart[]): string {
    this.#out = []
    this.#render(parts, { from: 0, to: parts.length }, undefined)
    return this.#out.join('')
  }

  #write(text: string): void {
    this.#characters += text.length
    if (this.#characters > renderedCharactersMax) {
      throw new Refusal('request_too_large', {
        message: `The prompt is over ${renderedCharactersMax} characters with its variables.`,
      })
    }
    this.#out.push(text)
  }

  #render(
    parts: readonly PromptPart[],
    range: { from: number; to: number },
    item: PromptValue | undefined,
  ): void {
    for (let at = range.from; at < range.to; at++) {
      const part = parts[at]
      if (part === undefined) return
      if (typeof part === 'string') this.#write(part)
      else if ('variable' in part) {
        const value = part.variable === '.' ? item : this.#values.get(part.variable)
        if (value !== undefined) this.#write(String(value))
      } else {
        const inner = { from: at + 1, to: at + 1 + part.parts }
        for (const each of this.#shown(part, item)) this.#render(parts, inner, each)
        at += part.parts
      }
    }
  }

  /** One entry for each time a section is shown: the member of its list, or what is around it. */
  #shown(section: Section, item: PromptValue | undefined): readonly (PromptValue | undefined)[] {
    const value = this.#values.get(section.section)
    const times = Array.isArray(value) ? value : value === undefined || value === false ? [] : [item]
    const shown = section.inverted === true ? times.length === 0 : times.length > 0
    this.#options.onSection?.(section, shown)
    if (section.inverted === true) return shown ? [item] : []
    return times
  }
}

/**
 * Fills variables into a prompt and gives its messages, those without text left out. One pass from left to right:
 * what a value holds is text, never a tag and never a message. Defaults stand in for what is left out; other
 * variables than the declared ones are not taken.
 * @throws Refusal `invalid_request` that names the variable (`param: variables.NAME`), `request_too_large` for a
 * result over `renderedCharactersMax`.
 */
export function renderPrompt(
  prompt: Pick<CompiledPrompt, 'name' | 'variables' | 'messages'>,
  values: PromptVariables,
  options: RenderOptions = {},
): RenderedMessage[] {
  const problem = variableProblem(prompt.variables, values)
  if (problem !== undefined) {
    const { variable, message } = problem
    throw new Refusal('invalid_request', { message, param: `variables.${variable}` })
  }
  if (prompt.messages === undefined)
    throw new RangeError(`the prompt "${prompt.name}" was compiled without its text`)
  const renderer = new Renderer(withDefaults(prompt.variables, values), options)
  const messages = prompt.messages.map(({ role, parts }) => ({ role, text: renderer.message(parts) }))
  return messages.filter(({ text }) => text.trim() !== '')
}
