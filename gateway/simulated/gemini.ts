import { schemaOfOpenApi } from '../wire/gemini/schema.ts'
import { encodeSseEvent } from '../wire/sse.ts'
import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'
import { memberOf, numberOf, textOf } from './loose-json.ts'
import type { SimulatedFormat, Stamp } from './simulated-format.ts'

const finishWord = { stop: 'STOP', length: 'MAX_TOKENS', toolCall: 'STOP' } as const
const modelPath = /\/models\/([^/]+):\w+/

/** A member by its name in either of the spellings that Google takes. */
function fieldOf(value: unknown, name: string): unknown {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return memberOf(value, name) ?? memberOf(value, snake)
}

function partsOf(content: unknown): readonly unknown[] {
  const parts = memberOf(content, 'parts')
  if (Array.isArray(parts)) return parts
  return parts === undefined ? [] : [parts]
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return value === undefined || value === null ? [] : [value]
}

/** Text of a part, what a function gave included. */
function textOfPart(part: unknown): string {
  const response = memberOf(fieldOf(part, 'functionResponse'), 'response')
  if (response === undefined) return textOf(memberOf(part, 'text'))
  return textOf(memberOf(response, 'output')) || JSON.stringify(response)
}

function isImage(part: unknown): boolean {
  const data = fieldOf(part, 'inlineData') ?? fieldOf(part, 'fileData')
  return textOf(fieldOf(data, 'mimeType')).startsWith('image/')
}

function toolChoiceOf(body: unknown): string {
  const config = fieldOf(fieldOf(body, 'toolConfig'), 'functionCallingConfig')
  const mode = textOf(memberOf(config, 'mode'))
  const names = listOf(fieldOf(config, 'allowedFunctionNames'))
  if (mode === 'NONE') return 'none'
  if (mode === 'ANY') return names.length === 1 ? textOf(names[0]) : 'required'
  return 'auto'
}

function outputSchemaOf(config: unknown): unknown {
  const schema = fieldOf(config, 'responseJsonSchema') ?? schemaOfOpenApi(fieldOf(config, 'responseSchema'))
  if (schema !== undefined) return schema
  return fieldOf(config, 'responseMimeType') === 'application/json' ? true : undefined
}

function read(body: unknown, path: string): SimulatedRequest {
  const contents = listOf(memberOf(body, 'contents'))
  const texts = contents.map((content) => partsOf(content).map(textOfPart).join(''))
  const system = partsOf(fieldOf(body, 'systemInstruction')).map(textOfPart).join('')
  const config = fieldOf(body, 'generationConfig')
  const declarations = listOf(memberOf(body, 'tools')).flatMap((tool) =>
    listOf(fieldOf(tool, 'functionDeclarations')),
  )
  return {
    model: decodeURIComponent(modelPath.exec(path)?.[1] ?? ''),
    lastText: texts.at(-1) ?? '',
    isToolResult: partsOf(contents.at(-1)).some((part) => fieldOf(part, 'functionResponse') !== undefined),
    imageCount: contents.flatMap(partsOf).filter(isImage).length,
    inputChars: texts.join('').length + system.length,
    tools: declarations.map((tool) => ({
      name: textOf(memberOf(tool, 'name')),
      schema: fieldOf(tool, 'parametersJsonSchema') ?? schemaOfOpenApi(memberOf(tool, 'parameters')),
    })),
    toolChoice: toolChoiceOf(body),
    outputSchema: outputSchemaOf(config),
    outputTokensMax: numberOf(fieldOf(config, 'maxOutputTokens')),
    choices: numberOf(fieldOf(config, 'candidateCount')) ?? 1,
  }
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer): object {
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens,
    totalTokenCount: inputTokens + outputTokens,
  }
}

/** A call as Gemini gives it: without an id, and with a signature, as its newer models do. */
function callPart(answer: SimulatedAnswer, stamp: Stamp): object | undefined {
  if (answer.toolCall === undefined) return undefined
  const { name, argumentsText } = answer.toolCall
  const thoughtSignature = Buffer.from(`simulated ${stamp.token}`).toString('base64')
  return { functionCall: { name, args: JSON.parse(argumentsText) as unknown }, thoughtSignature }
}

function answerOf(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp) {
  return (part: object, finishReason?: string): object => ({
    candidates: Array.from({ length: request.choices }, (_, index) => ({
      content: { parts: [part], role: 'model' },
      ...(finishReason !== undefined && { finishReason }),
      index,
    })),
    usageMetadata: usageOf(answer),
    modelVersion: request.model,
    responseId: stamp.token,
  })
}

function whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): unknown {
  const part = callPart(answer, stamp) ?? { text: answer.pieces.join('') }
  return answerOf(request, answer, stamp)(part, finishWord[answer.finish])
}

function stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp): string[] {
  const event = answerOf(request, answer, stamp)
  const call = callPart(answer, stamp)
  const parts = call === undefined ? answer.pieces.map((text) => ({ text })) : [call]
  return [
    ...parts.map((part) => encodeSseEvent(undefined, event(part))),
    encodeSseEvent(undefined, event({ text: '' }, finishWord[answer.finish])),
  ]
}

export const gemini: SimulatedFormat = { read, whole, stream }
