import type { Refusal } from '@signalbox/sdk/contract'
import type { Call, Delta, UsageCounts } from '../../call.ts'
import type { StreamEncoder } from '../../dialect.ts'
import type { Citation, SearchMade } from '../../web-search.ts'
import { encodeSseEvent } from '../sse.ts'
import { createToolNames } from '../tool-names.ts'
import { functionCallPart, type Part, thoughtPart } from './encode-reply.ts'
import { encodeGeminiStreamError } from './errors.ts'
import { encodeFinish } from './finish.ts'
import { encodeGrounding } from './grounding.ts'
import { sealSignature } from './thought-signature.ts'
import { encodeGeminiUsage } from './usage.ts'

/** What is beyond this of a text has no place in what says where it comes from. */
const placedCharsMax = 4_194_304

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']

/**
 * Canonical events as a Gemini stream: texts in their pieces, calls whole, and at the end an event with the finish
 * reason and the usage. Lines of `data` alone, and nothing after the last event: Google's clients take no other.
 */
export class GeminiStreamEncoder implements StreamEncoder {
  readonly #nameOf: (name: string) => string
  #id = ''
  #model = ''
  #usage: UsageCounts = {}
  #block: BlockStart | undefined
  #arguments = ''
  #proof: { signature?: string; encrypted?: string } = {}
  #finish: string | undefined
  /** What says where texts come from goes out with the last event: places are of all texts in a row. */
  readonly #texts: { text: string; citations: Citation[]; partIndex: undefined }[] = []
  readonly #searches: SearchMade[] = []

  constructor(call: Call) {
    this.#nameOf = createToolNames(call.summary.toolNames)
  }

  push(delta: Delta): string {
    switch (delta.type) {
      case 'start':
        this.#id = delta.id
        this.#model = delta.model
        return ''
      case 'usage':
        this.#usage = delta.usage
        return ''
      case 'blockStart':
        this.#block = delta.block
        this.#arguments = ''
        this.#proof = {}
        this.#texts.push({ text: '', citations: [], partIndex: undefined })
        return ''
      case 'blockDelta':
        return this.#blockDelta(delta)
      case 'citation':
        this.#texts.at(-1)?.citations.push(delta.citation)
        return ''
      case 'search':
        this.#searches.push(delta.search)
        return ''
      case 'blockEnd':
        return this.#blockEnd()
      case 'end':
        this.#finish = encodeFinish(delta.finish)
        return ''
      case 'error':
      case 'lost':
        return ''
    }
  }

  end(): string {
    return this.#event({ text: '' }, this.#finish ?? 'OTHER')
  }

  fail(refusal: Refusal): string {
    return encodeGeminiStreamError(refusal)
  }

  #blockDelta({ text = '', signature, encrypted }: Extract<Delta, { type: 'blockDelta' }>): string {
    switch (this.#block?.type) {
      case 'toolCall':
        this.#arguments += text
        return ''
      case 'reasoning':
        if (signature !== undefined) this.#proof.signature = signature
        if (encrypted !== undefined) this.#proof.encrypted = encrypted
        return text === '' ? '' : this.#event(thoughtPart(text))
      default: {
        const shown = this.#texts.at(-1)
        if (shown !== undefined && shown.text.length < placedCharsMax) shown.text += text
        return text === '' ? '' : this.#event({ text })
      }
    }
  }

  /** A call that the upstream left incomplete has no end, and is never shown. */
  #blockEnd(): string {
    const block = this.#block
    this.#block = undefined
    if (block?.type === 'toolCall') {
      const { id, name } = block
      return this.#event(functionCallPart({ id, name: this.#nameOf(name), arguments: this.#arguments }))
    }
    if (block?.type !== 'reasoning') return ''
    const { signature, encrypted } = this.#proof
    const sealed = sealSignature({ origin: block.origin, signature, encrypted })
    return sealed === undefined ? '' : this.#event(thoughtPart('', sealed))
  }

  #event(part: Part, finishReason?: string): string {
    const isLast = finishReason !== undefined
    const usage = isLast ? encodeGeminiUsage(this.#usage) : undefined
    const content = { parts: [part], role: 'model' }
    const grounding = isLast ? encodeGrounding({ texts: this.#texts, searches: this.#searches }) : undefined
    const grounded = grounding !== undefined && { groundingMetadata: grounding }
    return encodeSseEvent(undefined, {
      candidates: [{ content, ...(isLast && { finishReason }), index: 0, ...grounded }],
      ...(usage !== undefined && { usageMetadata: usage }),
      modelVersion: this.#model,
      responseId: this.#id,
    })
  }
}
