import type { IncomingHttpHeaders } from 'node:http'
import { type RenderedMessage, renderPrompt } from '@signalbox/policies'
import { type CompiledPrompt, Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { Dialect, RequestHead } from '../dialect.ts'
import type { ReleasedVersion } from '../snapshot.ts'
import { readBody } from '../steps/decode.ts'
import { type JsonEdit, spliceRequest } from '../wire/json-splice.ts'
import { findCallerPrompt } from './find-prompt.ts'
import { isOwnPrompt, type PromptWish, readPromptWish } from './read-prompt-wish.ts'

/** The prompt of a call as its record names it. */
export interface CallerPrompt {
  readonly name: string
  /** Number of the workspace's version that it is of. */
  readonly version: number
  readonly digest: string
}
/** A request as it came. */
export interface RawCall {
  readonly raw: Buffer
  readonly headers: IncomingHttpHeaders
  readonly head: RequestHead
  readonly dialect: Dialect
  /** Reads a body in its dialect. */
  readonly read: (raw: Buffer) => Call
}

/** Where each format has its conversation, and those that name the model in the body. */
const turns: Readonly<Record<Dialect['format'], string>> = {
  'openai-chat': 'messages',
  'openai-responses': 'input',
  'anthropic-messages': 'messages',
  gemini: 'contents',
  'vercel-ai': 'prompt',
}
const namesModel: ReadonlySet<string> = new Set(['openai-chat', 'openai-responses', 'anthropic-messages'])

/**
 * Reads a call, with the prompt that it names before its own conversation: from here on it is a call like any other,
 * whose every text is counted, screened and paid for.
 * @throws Refusal `not_found` for a prompt that is not there; `invalid_request` for variables that it does not take.
 */
export function takePrompt(
  request: RawCall,
  layers: readonly ReleasedVersion[],
): { readonly call: Call; readonly prompt: CallerPrompt | undefined } {
  const { raw, headers, dialect, read } = request
  const isNamed =
    headers['x-signalbox-prompt'] !== undefined || headers['x-signalbox-variables'] !== undefined
  if (!isNamed) {
    const call = read(raw)
    const isOwn = dialect.format === 'openai-responses' && isOwnPrompt(call.json.prompt)
    if (!isOwn) return { call, prompt: undefined }
  }
  if (dialect.insertMessages === undefined || request.head.upload !== undefined) return refuse(dialect.id)
  const json = readBody(raw)
  const isResponses = dialect.format === 'openai-responses'
  const wish = readPromptWish(headers, isResponses ? json.prompt : undefined)
  if (wish === undefined) return { call: read(raw), prompt: undefined }
  const { prompt, version } = findCallerPrompt(layers, wish)
  const messages = render(prompt, wish)
  const call = insert(request, { prompt, messages, json })
  return { call, prompt: { name: prompt.name, version, digest: prompt.digest } }
}

function refuse(dialect: string): never {
  const message = `A call of ${dialect} for this operation takes no prompt.`
  throw new Refusal('invalid_request', { message, param: 'x-signalbox-prompt' })
}

function render(prompt: CompiledPrompt, { variables, at }: PromptWish): RenderedMessage[] {
  if (prompt.messages === undefined) {
    const message = `The prompt "${prompt.name}" was compiled without its text: push the workspace again.`
    throw new Refusal('invalid_request', { message, param: at.name })
  }
  try {
    return renderPrompt(prompt, variables)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message, param } = error
    const name = param?.replace(/^variables\./, '')
    throw new Refusal(code, { message, param: name === undefined ? at.variables : `${at.variables}.${name}` })
  }
}

function insert(
  { raw, dialect, read }: RawCall,
  asked: {
    readonly prompt: CompiledPrompt
    readonly messages: readonly RenderedMessage[]
    readonly json: Readonly<Record<string, unknown>>
  },
): Call {
  const { prompt, messages, json } = asked
  const list = turns[dialect.format]
  const own = json[list]
  const isEmpty = own === undefined || own === null || (Array.isArray(own) && own.length === 0)
  const edits: JsonEdit[] = []
  if (dialect.format === 'openai-responses') edits.push({ path: ['prompt'], value: undefined })
  if (namesModel.has(dialect.format) && json.model === undefined && prompt.model !== undefined) {
    edits.push({ path: ['model'], value: JSON.stringify(prompt.model) })
  }
  if (isEmpty && dialect.format !== 'openai-responses') edits.push({ path: [list], value: '[]' })
  const base = edits.length === 0 ? raw : spliceRequest(raw, edits)
  // Read first by itself, so that an error names a member where the caller wrote it.
  if (!isEmpty && read(base).operation !== 'chat') return refuse(dialect.id)
  const call = read(dialect.insertMessages?.(base, messages) ?? base)
  return call.operation === 'chat' && call.native === undefined ? call : refuse(dialect.id)
}
