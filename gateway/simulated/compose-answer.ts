import { instanceOf } from './schema-instance.ts'

/** What the simulated provider reads of a request, in whatever format it came. */
export interface SimulatedRequest {
  readonly model: string
  /** Text of the last message. */
  readonly lastText: string
  /** The last message brings the result of a tool. */
  readonly isToolResult: boolean
  readonly imageCount: number
  /** Characters of all texts. */
  readonly inputChars: number
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[]
  /** A tool's name, or one of the words. */
  readonly toolChoice: string
  /** JSON Schema that the answer has to fit; `true` for any JSON object. */
  readonly outputSchema: unknown
  readonly outputTokensMax: number | undefined
  /** Answers asked for; all are the same. */
  readonly choices: number
}
export interface SimulatedAnswer {
  /** The answer in the pieces that a stream has. */
  readonly pieces: readonly string[]
  readonly toolCall: { readonly name: string; readonly argumentsText: string } | undefined
  readonly finish: 'stop' | 'length' | 'toolCall'
  readonly inputTokens: number
  readonly outputTokens: number
}

const charsPerToken = 4
const quotedLengthMax = 200
const tokensPerImage = 85

const tokensOf = (chars: number): number => Math.ceil(chars / charsPerToken)
const quoted = (text: string): string =>
  JSON.stringify(text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text)

/** The tool to call: the one that is forced, else one whose name stands in what was asked. */
function chooseTool(request: SimulatedRequest): SimulatedRequest['tools'][number] | undefined {
  const { tools, toolChoice, lastText, isToolResult } = request
  if (toolChoice === 'none' || tools.length === 0) return undefined
  if (toolChoice === 'required') return tools[0]
  if (toolChoice !== 'auto') return tools.find((tool) => tool.name === toolChoice)
  if (isToolResult) return undefined
  const asked = lastText.toLowerCase()
  return tools.find((tool) =>
    tool.name
      .split(/[^A-Za-z]+|(?=[A-Z])/)
      .some((word) => word.length >= 4 && asked.includes(word.toLowerCase())),
  )
}

function textFor(request: SimulatedRequest): string {
  const { model, lastText, isToolResult, imageCount, outputSchema } = request
  if (outputSchema === true) return JSON.stringify({ answer: 'simulated' })
  if (outputSchema !== undefined) return JSON.stringify(instanceOf(outputSchema))
  const seen =
    imageCount === 0 ? '' : ` I was shown ${imageCount === 1 ? 'an image' : `${imageCount} images`}.`
  if (isToolResult) return `Simulated answer of ${model}: the tool gave ${quoted(lastText)}.${seen}`
  return (
    `Simulated answer of ${model}: no provider key is set, so nobody was asked.${seen} ` +
    `You wrote: ${quoted(lastText)}`
  )
}

/** Words with the space after them, three to a piece. */
function piecesOf(text: string): string[] {
  return text.match(/(?:\S+\s*){1,3}/g) ?? []
}

/** The answer to a request: always the same for the same request. Usage is counted from the texts. */
export function composeAnswer(request: SimulatedRequest): SimulatedAnswer {
  const inputTokens = Math.max(1, tokensOf(request.inputChars) + request.imageCount * tokensPerImage)
  const tool = chooseTool(request)
  if (tool !== undefined) {
    const argumentsText = JSON.stringify(instanceOf(tool.schema) ?? {})
    const outputTokens = tokensOf(tool.name.length + argumentsText.length)
    const toolCall = { name: tool.name, argumentsText }
    return { pieces: [], toolCall, finish: 'toolCall', inputTokens, outputTokens }
  }
  const whole = textFor(request)
  const charsMax = (request.outputTokensMax ?? Number.POSITIVE_INFINITY) * charsPerToken
  const text = whole.length > charsMax ? whole.slice(0, charsMax) : whole
  const finish = text.length < whole.length ? 'length' : 'stop'
  const outputTokens = Math.max(1, tokensOf(text.length))
  return { pieces: piecesOf(text), toolCall: undefined, finish, inputTokens, outputTokens }
}
