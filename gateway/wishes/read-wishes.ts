import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import { spliceRequest } from '../wire/json-splice.ts'
import { asObject, type JsonObject } from '../wire/json-value.ts'
import { readConfig } from './read-config.ts'
import { readHeaders } from './read-headers.ts'
import { readProvider } from './read-provider.ts'
import type { WishedModel, Wishes } from './wishes.ts'

/** A call without the wishes in it, and what they were; undefined where it had none. */
export interface WishfulCall {
  readonly call: Call
  readonly wishes: Wishes | undefined
}

/** Members with wishes, in the formats that have a body of their own for them. No provider knows any of them. */
const members = ['provider', 'models', 'fallbacks'] as const
const formats: ReadonlySet<string> = new Set(['openai-chat', 'openai-responses', 'anthropic-messages'])
const modelsMax = 16

function modelAt(value: unknown, path: string): WishedModel {
  const name = typeof value === 'string' ? value : asObject(value)?.model
  if (typeof name === 'string' && name !== '') return { name, path }
  throw new Refusal('invalid_request', { message: `\`${path}\` must be the name of a model.`, param: path })
}

function modelsAt(json: JsonObject, member: 'models' | 'fallbacks'): readonly WishedModel[] {
  const value = json[member]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > modelsMax) {
    const message = `\`${member}\` must be a list of at most ${modelsMax} models.`
    throw new Refusal('invalid_request', { message, param: member })
  }
  return value.map((each, index) => modelAt(each, `${member}[${index}]`))
}

/**
 * Reads a body; one that names only a list of models, as OpenRouter's examples do, asks for the first of them.
 * @throws Refusal as `read` does.
 */
export function readNamed(raw: Buffer, format: string, read: (raw: Buffer) => Call): Call {
  try {
    return read(raw)
  } catch (error) {
    if (!(error instanceof Refusal) || !formats.has(format)) throw error
    const { model, models } = readObject(raw) ?? {}
    const [first] = Array.isArray(models) ? models : []
    if (model !== undefined || typeof first !== 'string') throw error
    return read(spliceRequest(raw, [{ path: ['model'], value: JSON.stringify(first) }]))
  }
}

function readObject(raw: Buffer): JsonObject | undefined {
  try {
    return asObject(JSON.parse(raw.toString('utf8')))
  } catch {
    return undefined
  }
}

/** LiteLLM's tags are a list; metadata are single values. */
function joinTags(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { tags } = metadata
  const isList = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
  return isList ? { ...metadata, tags: tags.join(',') } : metadata
}

/**
 * Takes from a call what its client says to other gateways: members of its body, which nobody forwards, and headers.
 * `decode` reads the body again without them; `random` gives an unsigned 32-bit number, for those that share calls out.
 * @throws Refusal `invalid_request` for a wish that is not of its documented form.
 */
export function takeWishes(
  call: Call,
  headers: IncomingHttpHeaders,
  decode: (raw: Buffer) => Call,
  random: () => number,
): WishfulCall {
  if (call.operation !== 'chat' || call.native !== undefined) return { call, wishes: undefined }
  const said = formats.has(call.format) ? members.filter((name) => call.json[name] !== undefined) : []
  const head = readHeaders(headers)
  const hasTags = Array.isArray(call.summary.metadata.tags)
  if (said.length === 0 && head === undefined && !hasTags) return { call, wishes: undefined }
  const { json } = call
  const provider = readProvider(asObject(json.provider) ?? {})
  const own = said.length === 0 ? call : decode(withoutMembers(call.raw, said))
  const { summary } = own
  const userId = summary.userId ?? head?.userId
  const { fallback, ignored, ...rest } = provider
  const metadata = { ...joinTags(summary.metadata), ...head?.metadata }
  const about = { model: own.model, params: own.json, metadata, draw: random() }
  const config = head?.config === undefined ? undefined : readConfig(head.config, about)
  const [first = own.model, ...others] = config?.models ?? []
  return {
    call: {
      ...own,
      model: first,
      summary: {
        ...summary,
        metadata,
        ...(userId !== undefined && { userId }),
      },
    },
    wishes: {
      ...rest,
      only: head?.provider === undefined ? rest.only : [head.provider],
      alone: rest.alone || config?.models.length === 1,
      models: [
        ...others.map((name) => ({ name, path: 'x-portkey-config' })),
        ...modelsAt(json, 'models'),
        ...modelsAt(json, 'fallbacks'),
        ...fallback.map((name, index) => ({ name, path: `provider.fallback[${index}]` })),
      ].slice(0, modelsMax),
      sessionId: head?.sessionId,
      ignored: [
        ...ignored,
        ...(head?.ignored ?? []),
        ...(config?.ignored ?? (head?.config === undefined ? [] : ['x-portkey-config'])),
      ],
    },
  }
}

function withoutMembers(raw: Buffer, names: readonly string[]): Buffer {
  return spliceRequest(
    raw,
    names.map((name) => ({ path: [name], value: undefined })),
  )
}
