import type { Delta } from '../../call.ts'
import type { SseEvent, StreamDecoder } from '../../provider.ts'
import { asObject, asString, type JsonObject } from '../json-value.ts'
import { chatReasoningMark } from '../reasoning-origin.ts'
import { decodeCohereFinish, readCohereUsage } from './decode-reply.ts'

type Opened = Extract<Delta, { type: 'blockStart' }>['block']

/** Events of a v2 chat stream into canonical events. The plan before tool calls is a text. */
export class CohereStreamDecoder implements StreamDecoder {
  #index = -1
  #open: Opened | undefined
  #hasArguments = false
  readonly #lost = new Set<string>()
  #ended = false
  #failed = false

  push({ data, partial }: SseEvent): Delta[] {
    if (data === '' || this.#ended || this.#failed) return []
    let event: JsonObject
    try {
      event = asObject(JSON.parse(data)) ?? {}
    } catch {
      if (partial || data.trim() === '[DONE]') return []
      return this.#fail('upstream_invalid', 'The provider sent an event that is not JSON.')
    }
    return this.#event(event)
  }

  finish(): { complete: boolean; deltas: Delta[] } {
    return { complete: this.#ended, deltas: [] }
  }

  #fail(code: string, message: string): Delta[] {
    this.#failed = true
    return [{ type: 'error', code, message }]
  }

  #event(event: JsonObject): Delta[] {
    const delta = asObject(event.delta)
    const message = asObject(delta?.message)
    const content = asObject(message?.content)
    switch (event.type) {
      case 'message-start':
        return [{ type: 'start', id: asString(event.id) ?? '', model: '' }]
      case 'content-start':
        return [
          ...this.#turnTo(content?.type === 'thinking' ? thinking : { type: 'text' }),
          ...this.#text(asString(content?.thinking) ?? asString(content?.text)),
        ]
      case 'content-delta': {
        const lost = event.logprobs === undefined ? [] : this.#lose('logprobs')
        return [...this.#text(asString(content?.thinking) ?? asString(content?.text)), ...lost]
      }
      case 'tool-plan-delta':
        return [
          ...(this.#open?.type === 'text' ? [] : this.#turnTo({ type: 'text' })),
          ...this.#text(asString(message?.tool_plan)),
        ]
      case 'tool-call-start':
      case 'tool-call-delta':
        return this.#toolCall(event.type, asObject(message?.tool_calls) ?? {})
      case 'content-end':
      case 'tool-call-end':
        return this.#close()
      case 'citation-start':
        return this.#lose('message.citations')
      case 'message-end':
        return this.#end(delta ?? {})
      default:
        return []
    }
  }

  #toolCall(type: string, call: JsonObject): Delta[] {
    const called = asObject(call.function)
    const text = this.#text(asString(called?.arguments))
    if (type === 'tool-call-delta') return text
    const opened = this.#turnTo({
      type: 'toolCall',
      id: asString(call.id) ?? '',
      name: asString(called?.name) ?? '',
    })
    return [...opened, ...this.#text(asString(called?.arguments))]
  }

  #text(text: string | undefined): Delta[] {
    if (!text || this.#open === undefined) return []
    this.#hasArguments = true
    return [{ type: 'blockDelta', index: this.#index, text }]
  }

  #turnTo(block: Opened): Delta[] {
    const closed = this.#close()
    this.#index++
    this.#open = block
    this.#hasArguments = false
    return [...closed, { type: 'blockStart', index: this.#index, block }]
  }

  #close(): Delta[] {
    const open = this.#open
    if (open === undefined) return []
    this.#open = undefined
    const index = this.#index
    const last: Delta[] = []
    if (open.type === 'reasoning') {
      last.push({ type: 'blockDelta', index, signature: chatReasoningMark('reasoning_content') })
    }
    // Clients of other formats parse the arguments: none at all have to be an empty object.
    if (open.type === 'toolCall' && !this.#hasArguments) last.push({ type: 'blockDelta', index, text: '{}' })
    return [...last, { type: 'blockEnd', index }]
  }

  #lose(path: string): Delta[] {
    if (this.#lost.has(path)) return []
    this.#lost.add(path)
    return [{ type: 'lost', path: `response.${path}` }]
  }

  #end(delta: JsonObject): Delta[] {
    const nativeFinish = asString(delta.finish_reason) ?? ''
    const finish = decodeCohereFinish(nativeFinish)
    if (finish === 'error') {
      return this.#fail(nativeFinish, asString(delta.error) ?? 'The provider ended its stream with an error.')
    }
    this.#ended = true
    // A call that the limit cut is not complete.
    const closed = finish === 'length' && this.#open?.type === 'toolCall' ? [] : this.#close()
    const usage = readCohereUsage(delta.usage)
    const reported: Delta[] = usage === undefined ? [] : [{ type: 'usage', usage }]
    return [...closed, ...reported, { type: 'end', finish, nativeFinish }]
  }
}

const thinking: Opened = { type: 'reasoning', origin: 'openai-chat' }
