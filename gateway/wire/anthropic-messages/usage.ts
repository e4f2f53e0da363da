import type { UsageCounts } from '../../call.ts'
import { asCount, asObject, type JsonObject } from '../json-value.ts'

/** The usage of a Messages answer. Undefined where there is none. */
export function readMessagesUsage(json: unknown): UsageCounts | undefined {
  const usage = asObject(asObject(json)?.usage)
  return usage && countsOf(usage)
}

/**
 * The usage of a stream: `message_start` has the input, every `message_delta` the whole so far. What comes
 * later replaces what was there, member by member; nulls replace nothing.
 */
export class MessagesUsage {
  readonly #members: Record<string, unknown> = {}

  /** Takes the `usage` of an event and returns all that is known. */
  update(usage: JsonObject): UsageCounts {
    const hadSplit = this.#members.cache_creation
    for (const [name, value] of Object.entries(usage)) {
      if (value !== null && value !== undefined) this.#members[name] = value
    }
    if (usage.cache_creation_input_tokens !== undefined && !asObject(usage.cache_creation)) {
      this.#members.cache_creation = fitSplit(asObject(hadSplit), asCount(usage.cache_creation_input_tokens))
    }
    return countsOf(this.#members)
  }
}

/** A new total without its split by lifetime keeps the longer-lived part that was known. */
function fitSplit(split: JsonObject | undefined, total: number | undefined): JsonObject | undefined {
  if (split === undefined || total === undefined) return split
  const hour = Math.min(asCount(split.ephemeral_1h_input_tokens) ?? 0, total)
  return { ephemeral_1h_input_tokens: hour, ephemeral_5m_input_tokens: total - hour }
}

/**
 * `input_tokens` leaves cache reads and writes out, and `output_tokens` includes thinking, as the units here
 * do.
 */
function countsOf(usage: JsonObject): UsageCounts {
  const input = asCount(usage.input_tokens)
  const output = asCount(usage.output_tokens)
  const cacheRead = asCount(usage.cache_read_input_tokens)
  const split = asObject(usage.cache_creation)
  const hour = asCount(split?.ephemeral_1h_input_tokens)
  const fiveMinutes = asCount(split?.ephemeral_5m_input_tokens) ?? asCount(usage.cache_creation_input_tokens)
  const reasoning = asCount(asObject(usage.output_tokens_details)?.thinking_tokens)
  const searches = asCount(asObject(usage.server_tool_use)?.web_search_requests)
  return {
    ...(input !== undefined && { input }),
    ...(cacheRead !== undefined && { cacheRead }),
    ...(fiveMinutes !== undefined && { cacheWrite5m: fiveMinutes }),
    ...(hour !== undefined && { cacheWrite1h: hour }),
    ...(output !== undefined && { output }),
    ...(reasoning !== undefined && { reasoning }),
    ...(searches !== undefined && { searches }),
  }
}

/** Usage as Messages writes it. */
export function encodeMessagesUsage(usage: UsageCounts): Record<string, unknown> {
  const fiveMinutes = usage.cacheWrite5m ?? 0
  const hour = usage.cacheWrite1h ?? 0
  return {
    input_tokens: (usage.input ?? 0) + (usage.audioIn ?? 0),
    cache_creation_input_tokens: fiveMinutes + hour,
    cache_read_input_tokens: usage.cacheRead ?? 0,
    cache_creation: { ephemeral_5m_input_tokens: fiveMinutes, ephemeral_1h_input_tokens: hour },
    output_tokens: (usage.output ?? 0) + (usage.audioOut ?? 0),
    ...(usage.reasoning !== undefined && { output_tokens_details: { thinking_tokens: usage.reasoning } }),
    ...(usage.searches !== undefined && { server_tool_use: { web_search_requests: usage.searches } }),
  }
}
