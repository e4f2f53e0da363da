import type { BatchKind, BatchOutcome } from '@signalbox/sdk/contract'
import { asCount, asObject, asString, isObject, type JsonObject } from '../wire/json-value.ts'
import type { KeptCollection } from './ask-connection.ts'

/** How a batch stands at its provider. */
export type BatchStand =
  | { readonly state: 'running' }
  | {
      readonly state: 'ended'
      readonly outcome: BatchOutcome
      /** By the provider's clock; undefined where it does not say. */
      readonly endedMs: number | undefined
      /** What its results are read from; none where there are none. */
      readonly results: readonly string[]
    }
/** What became of one line. */
export interface LineResult {
  /** The `custom_id`, by which callers know it. */
  readonly line: string
  /** HTTP status that a call like it would have had. */
  readonly status: number
  /** The provider's answer; undefined where the line was not done. */
  readonly body: JsonObject | undefined
}
/** How batches are read in a format. */
export interface BatchManner {
  readonly collection: KeptCollection
  readonly results: KeptCollection
  statusPath(providerId: string): string
  /** Undefined where the answer is none of its format. */
  readStand(json: unknown, providerId: string): BatchStand | undefined
  readLine(json: unknown): LineResult | undefined
}

const idPattern = /^[\w.-]{1,256}$/
const secondsToMs = 1000

/** Source: OpenAI, API reference, The batch object. */
const openAiEnds: Readonly<Record<string, BatchOutcome>> = {
  completed: 'completed',
  failed: 'failed',
  expired: 'expired',
  cancelled: 'cancelled',
}
const openAi: BatchManner = {
  collection: 'batches',
  results: 'files',
  statusPath: (id) => `/v1/batches/${id}`,
  readStand(json) {
    const batch = asObject(json)
    const status = asString(batch?.status)
    if (batch === undefined || status === undefined) return undefined
    const outcome = openAiEnds[status]
    if (outcome === undefined) return { state: 'running' }
    const seconds = asCount(batch[`${status}_at`])
    const files = [batch.output_file_id, batch.error_file_id].flatMap((id) => {
      return typeof id === 'string' && idPattern.test(id) ? [`/v1/files/${id}/content`] : []
    })
    const endedMs = seconds === undefined ? undefined : seconds * secondsToMs
    return { state: 'ended', outcome, endedMs, results: files }
  },
  readLine(json) {
    const line = asString(asObject(json)?.custom_id)
    if (!isObject(json) || line === undefined) return undefined
    const response = asObject(json.response)
    const isFailed = response === undefined || isObject(json.error)
    const status = asCount(response?.status_code) ?? (isFailed ? 500 : 200)
    return { line, status, body: asObject(response?.body) }
  },
}

/** Source: Anthropic, API reference, Message Batches. */
const anthropicStatus: Readonly<Record<string, number>> = {
  succeeded: 200,
  errored: 400,
  canceled: 499,
  expired: 504,
}
function anthropicOutcome(batch: JsonObject): BatchOutcome {
  if (typeof batch.cancel_initiated_at === 'string') return 'cancelled'
  const counts = asObject(batch.request_counts)
  const expired = asCount(counts?.expired) ?? 0
  return expired > 0 ? 'expired' : 'completed'
}
const anthropic: BatchManner = {
  collection: 'messages',
  results: 'messages',
  statusPath: (id) => `/v1/messages/batches/${id}`,
  readStand(json, id) {
    const batch = asObject(json)
    const status = asString(batch?.processing_status)
    if (batch === undefined || status === undefined) return undefined
    if (status !== 'ended') return { state: 'running' }
    const endedMs = Date.parse(asString(batch.ended_at) ?? '')
    return {
      state: 'ended',
      outcome: anthropicOutcome(batch),
      endedMs: Number.isFinite(endedMs) ? endedMs : undefined,
      results: [`/v1/messages/batches/${id}/results`],
    }
  },
  readLine(json) {
    const line = asString(asObject(json)?.custom_id)
    const result = asObject(asObject(json)?.result)
    const status = anthropicStatus[asString(result?.type) ?? '']
    if (line === undefined || status === undefined) return undefined
    return { line, status, body: asObject(result?.message) }
  },
}

/** How each provider's batches are read. */
export const batchManners: Readonly<Record<BatchKind, BatchManner>> = { openai: openAi, anthropic }
