import type { Delta } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import { MessagesStreamDecoder } from '../anthropic-messages/decode-stream.ts'
import { asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { stopReasonOf, usageAsMessages } from './as-messages.ts'

function startOf(delta: JsonObject): JsonObject {
  if (delta.reasoningContent === undefined) return { type: 'text', text: '' }
  const { redactedContent } = asObject(delta.reasoningContent) ?? {}
  if (redactedContent !== undefined) return { type: 'redacted_thinking', data: redactedContent }
  return { type: 'thinking', thinking: '' }
}

function deltaOf(delta: JsonObject): JsonObject | undefined {
  if (delta.text !== undefined) return { type: 'text_delta', text: delta.text }
  const toolUse = asObject(delta.toolUse)
  if (toolUse !== undefined) return { type: 'input_json_delta', partial_json: toolUse.input }
  const reasoning = asObject(delta.reasoningContent)
  if (reasoning?.text !== undefined) return { type: 'thinking_delta', thinking: reasoning.text }
  if (reasoning?.signature !== undefined) return { type: 'signature_delta', signature: reasoning.signature }
  return delta.citation === undefined ? undefined : { type: 'citations_delta' }
}

/**
 * Events of ConverseStream into canonical events, by way of those of Messages. Only tool calls have a start of their
 * own; usage comes after the reason to stop, in `metadata`, which is the last event.
 */
export class ConverseStreamDecoder implements StreamDecoder {
  readonly #messages = new MessagesStreamDecoder()
  readonly #opened = new Set<number>()
  #nativeFinish: string | undefined
  #usage: JsonObject | undefined
  #over = false

  push({ event, data, partial }: SseEvent): Delta[] {
    if (this.#over || partial === true || data === '') return []
    let body: JsonObject
    try {
      body = asObject(JSON.parse(data)) ?? {}
    } catch {
      return this.#fail('upstream_invalid', 'The provider sent an event that is not JSON.')
    }
    return this.#event(event, body)
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    // A stream that ends behind its reason to stop is whole; only its usage is missing.
    const deltas = this.#over || this.#nativeFinish === undefined ? [] : this.#end()
    return { complete: this.#messages.finish().complete, deltas }
  }

  #event(name: string, body: JsonObject): Delta[] {
    const index = asCount(body.contentBlockIndex) ?? 0
    switch (name) {
      case 'messageStart':
        return this.#say({ type: 'message_start', message: { id: '', model: '' } })
      case 'contentBlockStart': {
        this.#opened.add(index)
        const [kind = 'type'] = Object.keys(asObject(body.start) ?? {})
        const { toolUseId: id, name: tool } = asObject(asObject(body.start)?.toolUse) ?? {}
        const block = kind === 'toolUse' ? { type: 'tool_use', id, name: tool, input: {} } : { type: kind }
        return this.#say({ type: 'content_block_start', index, content_block: block })
      }
      case 'contentBlockDelta':
        return this.#delta(index, asObject(body.delta) ?? {})
      case 'contentBlockStop':
        return this.#say({ type: 'content_block_stop', index })
      case 'messageStop':
        this.#nativeFinish = asString(body.stopReason) ?? ''
        return []
      case 'metadata':
        this.#usage = usageAsMessages(body.usage)
        return this.#nativeFinish === undefined ? [] : this.#end()
      default:
        if (!name.endsWith('Exception')) return []
        return this.#fail(name, asString(body.message) ?? 'The provider ended its stream with an error.')
    }
  }

  #delta(index: number, delta: JsonObject): Delta[] {
    const deltas: Delta[] = []
    if (!this.#opened.has(index)) {
      this.#opened.add(index)
      deltas.push(...this.#say({ type: 'content_block_start', index, content_block: startOf(delta) }))
    }
    const said = deltaOf(delta)
    if (said !== undefined) deltas.push(...this.#say({ type: 'content_block_delta', index, delta: said }))
    return deltas
  }

  #end(): Delta[] {
    this.#over = true
    const nativeFinish = this.#nativeFinish ?? ''
    const delta = { stop_reason: stopReasonOf(nativeFinish) }
    const usage = this.#usage !== undefined && { usage: this.#usage }
    const deltas = this.#say({ type: 'message_delta', delta, ...usage })
    deltas.push(...this.#say({ type: 'message_stop' }))
    return deltas.map((each) => (each.type === 'end' ? { ...each, nativeFinish } : each))
  }

  #fail(code: string, message: string): Delta[] {
    this.#over = true
    return [{ type: 'error', code, message }]
  }

  #say(event: JsonObject): Delta[] {
    return this.#messages.push({ event: '', data: JSON.stringify(event) })
  }
}
