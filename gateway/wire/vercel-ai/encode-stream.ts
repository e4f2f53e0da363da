import type { Refusal } from '@signalbox/sdk/contract'
import type { Delta, UsageCounts } from '../../call.ts'
import type { StreamEncoder } from '../../dialect.ts'
import { encodeSseEvent } from '../sse.ts'
import { encodeFinish, encodeUsage, reasoningMetadata, searchParts, sourcePart } from './answer-parts.ts'
import { encodeVercelStreamError } from './errors.ts'

type Of<T extends Delta['type']> = Extract<Delta, { type: T }>
type BlockStart = Of<'blockStart'>['block']

const part = (value: object): string => encodeSseEvent(undefined, value)

/** Canonical events as the stream parts of the AI SDK: every block opened and closed, tool calls whole at their end. */
export class VercelStreamEncoder implements StreamEncoder {
  readonly #nowMs: number
  readonly #searchName: string | undefined
  #block: BlockStart | undefined
  #id = ''
  #arguments = ''
  #signature: string | undefined
  #encrypted: string | undefined
  #usage: UsageCounts = {}
  #sources = 0
  #finish: Of<'end'> | undefined

  /** @param searchName what the caller calls the search that it offers. */
  constructor(nowMs: number, searchName?: string) {
    this.#nowMs = nowMs
    this.#searchName = searchName
  }

  push(delta: Delta): string {
    switch (delta.type) {
      case 'start':
        return this.#start(delta)
      case 'blockStart':
        return this.#blockStart(delta)
      case 'blockDelta':
        return this.#blockDelta(delta)
      case 'citation':
        return part(sourcePart(delta.citation, this.#sources++))
      case 'search':
        return searchParts(delta.search, this.#searchName).map(part).join('')
      case 'blockEnd':
        return this.#blockEnd()
      case 'usage':
        this.#usage = delta.usage
        return ''
      case 'end':
        this.#finish = delta
        return ''
      case 'error':
      case 'lost':
        return ''
    }
  }

  /** The finish is the last part, as usage may come after the word for it. */
  end(): string {
    const { finish = 'other', nativeFinish = '' } = this.#finish ?? {}
    const finishReason = encodeFinish(finish, nativeFinish)
    return part({ type: 'finish', usage: encodeUsage(this.#usage), finishReason })
  }

  fail(refusal: Refusal): string {
    return encodeVercelStreamError(refusal)
  }

  #start({ id, model }: Of<'start'>): string {
    const timestamp = new Date(this.#nowMs).toISOString()
    const metadata = { type: 'response-metadata', id, modelId: model, timestamp }
    return part({ type: 'stream-start', warnings: [] }) + part(metadata)
  }

  #blockStart({ index, block }: Of<'blockStart'>): string {
    this.#block = block
    this.#arguments = ''
    this.#signature = undefined
    this.#encrypted = undefined
    this.#id = block.type === 'toolCall' ? block.id : String(index)
    const id = this.#id
    if (block.type === 'toolCall') return part({ type: 'tool-input-start', id, toolName: block.name })
    return part({ type: block.type === 'reasoning' ? 'reasoning-start' : 'text-start', id })
  }

  #blockDelta({ text, signature, encrypted }: Of<'blockDelta'>): string {
    this.#signature = signature ?? this.#signature
    this.#encrypted = encrypted ?? this.#encrypted
    if (text === undefined || text === '') return ''
    const id = this.#id
    if (this.#block?.type === 'toolCall') {
      this.#arguments += text
      return part({ type: 'tool-input-delta', id, delta: text })
    }
    return part({
      type: this.#block?.type === 'reasoning' ? 'reasoning-delta' : 'text-delta',
      id,
      delta: text,
    })
  }

  #blockEnd(): string {
    const block = this.#block
    const id = this.#id
    this.#block = undefined
    if (block?.type === 'toolCall') {
      const call = { toolCallId: id, toolName: block.name, input: this.#arguments || '{}' }
      return part({ type: 'tool-input-end', id }) + part({ type: 'tool-call', ...call })
    }
    if (block?.type !== 'reasoning') return part({ type: 'text-end', id })
    const sealed = { signature: this.#signature, encrypted: this.#encrypted }
    return part({ type: 'reasoning-end', id, ...reasoningMetadata(block.origin, sealed) })
  }
}
