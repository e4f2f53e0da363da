import { html, nothing, type TemplateResult } from 'lit'

export type PromptValue = string | number | boolean | (string | number | boolean)[]
/** What stands in the fields, by variable. */
export type Typed = Readonly<Record<string, string>>

interface VariableSchema {
  readonly type?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: VariableSchema
  readonly required?: unknown
  readonly default?: unknown
  readonly description?: unknown
}
const schemaOf = (schema: unknown): VariableSchema => Object(schema)

function scalar(text: string, { type, enum: values }: VariableSchema): string | number | boolean {
  const listed = values?.find((each) => String(each) === text)
  if (typeof listed === 'number' || typeof listed === 'boolean') return listed
  if (type === 'boolean') return text === 'true'
  const isNumber = type === 'integer' || type === 'number'
  return isNumber && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** The values that were typed, as the types of the variables say. What is empty is left out. */
export function readVariables(
  schemas: Readonly<Record<string, unknown>>,
  typed: Typed,
): Record<string, PromptValue> {
  const values: Record<string, PromptValue> = {}
  for (const [name, each] of Object.entries(schemas)) {
    const text = typed[name] ?? ''
    const schema = schemaOf(each)
    if (text === '') continue
    values[name] =
      schema.type === 'array'
        ? text
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => scalar(line, schemaOf(schema.items)))
        : scalar(text, schema)
  }
  return values
}

function hint({ type, required = true, default: standard }: VariableSchema): string {
  const list = type === 'array' ? ', one a line' : ''
  if (standard !== undefined) return `${JSON.stringify(standard)} where left out${list}`
  return required === false ? `may be left out${list}` : `needed${list}`
}

/** A field for a variable, as its type says. */
export function variableField(
  name: string,
  value: unknown,
  typed: { readonly text: string; readonly onInput: (text: string) => void },
): TemplateResult {
  const schema = schemaOf(value)
  const options = schema.type === 'boolean' ? ['true', 'false'] : schema.enum?.map(String)
  const onInput = (event: Event): void => {
    const { target } = event
    const isField =
      target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement
    if (isField) typed.onInput(target.value)
  }
  const field =
    options !== undefined
      ? html`<select @change=${onInput}>
          <option value="" ?selected=${typed.text === ''}></option>
          ${options.map((each) => html`<option value=${each} ?selected=${each === typed.text}>${each}</option>`)}
        </select>`
      : schema.type === 'array' || schema.type === 'string'
        ? html`<textarea rows="2" .value=${typed.text} @input=${onInput}></textarea>`
        : html`<input .value=${typed.text} @input=${onInput} />`
  return html`<label>
    <span>${name} <span class="muted small">${hint(schema)}</span></span>
    ${field}
    ${typeof schema.description === 'string' ? html`<span class="muted small">${schema.description}</span>` : nothing}
  </label>`
}
