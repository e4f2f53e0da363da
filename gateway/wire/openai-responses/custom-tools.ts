import { asObject, asString, type JsonObject } from '../json-value.ts'

/**
 * Custom tools take free text. To formats that know only functions each is a function with this one argument, and is
 * a custom tool again in the answer.
 */
export const customInput = 'input'

/** Schema of the function that stands for a custom tool. */
export const customToolSchema: JsonObject = {
  type: 'object',
  properties: {
    [customInput]: { type: 'string', description: 'The whole input of the tool, as free text.' },
  },
  required: [customInput],
  additionalProperties: false,
}

/** What the model is told of a custom tool; of a grammar, which nobody enforces for a function, in words. */
export function describeCustomTool(tool: JsonObject): string | undefined {
  const format = asObject(tool.format)
  const description = asString(tool.description)
  const definition = asString(format?.definition)
  if (definition === undefined) return description
  const syntax = asString(format?.syntax) ?? 'a'
  const grammar = `The input must follow this ${syntax} grammar:\n${definition}`
  return description === undefined ? grammar : `${description}\n\n${grammar}`
}

export function argumentsOfCustom(input: string): string {
  return JSON.stringify({ [customInput]: input })
}

/** The free text in a function's arguments; arguments of another shape are the text themselves. */
export function inputOfCustom(text: string): string {
  try {
    const input = asObject(JSON.parse(text))?.[customInput]
    return typeof input === 'string' ? input : text
  } catch {
    return text
  }
}
