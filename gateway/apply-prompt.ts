import { type RenderedMessage, renderPrompt } from '@signalbox/policies'
import {
  type CompiledPrompt,
  type PromptReference,
  type PromptVariables,
  Refusal,
} from '@signalbox/sdk/contract'
import type { Call } from './call.ts'
import type { Dialect } from './dialect.ts'
import type { ReleasedVersion } from './snapshot.ts'
import { decode } from './steps/decode.ts'

/** A call as it goes to a target, and the prompt that was put before its conversation. */
export interface PromptedCall {
  readonly call: Call
  /** `bytes`: how much longer the request is by it. */
  readonly prompt: { readonly name: string; readonly digest: string; readonly bytes: number } | undefined
  /** `prompt` where the plan names one and the version does not hold its text; for `x-signalbox-dropped`. */
  readonly dropped: readonly string[]
}
/** Where a plan's prompt is looked up, and the dialect of the call. */
export interface PromptScope {
  readonly versions: readonly ReleasedVersion[]
  readonly dialect: Dialect
}

function invalid(detail: string): Refusal {
  return new Refusal('policy_invalid_decision', { detail })
}

/** The prompt of this name and digest in any of the versions; without a digest the nearest one of this name. */
export function findPrompt(
  versions: readonly ReleasedVersion[],
  { name, digest }: Pick<PromptReference, 'name' | 'digest'>,
): CompiledPrompt | undefined {
  for (const { compiled } of [...versions].reverse()) {
    const found = compiled.prompts.find((each) => each.name === name)
    if (found !== undefined && (digest === undefined || found.digest === digest)) return found
  }
  return undefined
}

/**
 * The call with messages before its conversation: system ones before the caller's own, others before his first turn.
 * It is read again in its dialect, so that every provider gets the same conversation.
 * @throws Refusal `policy_invalid_decision` where the dialect or the operation has no place for messages.
 */
export function prependMessages(
  call: Call,
  messages: readonly RenderedMessage[],
  dialect: Dialect,
): { readonly call: Call; readonly bytes: number } {
  if (messages.length === 0) return { call, bytes: 0 }
  if (dialect.insertMessages === undefined || call.operation !== 'chat') {
    throw invalid(`a call of ${call.dialect} for ${call.operation} takes no prompt`)
  }
  const raw = dialect.insertMessages(call.raw, messages)
  const { operation } = call
  return { call: decode(raw, dialect, { operation }, call.head), bytes: raw.length - call.raw.length }
}

function render(prompt: CompiledPrompt, variables: PromptVariables): RenderedMessage[] {
  try {
    return renderPrompt(prompt, variables)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw invalid(`prompt ${prompt.name}: ${error.message}`)
  }
}

/**
 * The call as a node of the plan wants it: with the prompt that it names, if it names one. A version that was compiled
 * before prompts were applied does not hold their texts: its calls go out as they did, and say so.
 * @throws Refusal `policy_invalid_decision` where that prompt cannot be rendered: a call does not go out without it.
 */
export function applyPrompt(
  call: Call,
  reference: PromptReference | undefined,
  { versions, dialect }: PromptScope,
): PromptedCall {
  if (reference === undefined) return { call, prompt: undefined, dropped: [] }
  const prompt = findPrompt(versions, reference)
  if (prompt === undefined)
    throw invalid(`no active version has the prompt ${reference.name} that the plan names`)
  if (prompt.messages === undefined) return { call, prompt: undefined, dropped: ['prompt'] }
  const prompted = prependMessages(call, render(prompt, reference.variables ?? {}), dialect)
  const { name, digest } = prompt
  return { call: prompted.call, prompt: { name, digest, bytes: prompted.bytes }, dropped: [] }
}
