import type { ChatPayload } from '../../call.ts'
import type { JsonEdit } from '../json-splice.ts'
import type { JsonObject } from '../json-value.ts'
import type { Losses } from '../losses.ts'
import type { ChatQuirks } from './quirks.ts'

/** Members whose loss changes what a call means, unless they say what happens anyway. */
const meaning: Readonly<Record<string, (value: unknown) => boolean>> = {
  parallel_tool_calls: (value) => value === false,
  logprobs: (value) => value === true,
  n: (value) => value !== 1,
  response_format: () => true,
  tools: () => true,
}
/** How callers of Messages name what Chat Completions has under another name. */
const messagesPaths: Readonly<Record<string, string>> = {
  parallel_tool_calls: 'tool_choice.disable_parallel_tool_use',
  stop: 'stop_sequences',
  user: 'metadata.user_id',
  safety_identifier: 'metadata.user_id',
  response_format: 'output_config.format',
}

function drop(member: string, value: unknown, path: string, losses: Losses): void {
  if (meaning[member]?.(value) === true) losses.dropMeaning(path)
  else losses.drop(path)
}

/** The word for a tool that must be called, and the way to ask for reasoning, as the server has them. */
function valueFor(member: string, value: unknown, quirks: ChatQuirks): readonly [string, unknown] {
  if (member === 'tool_choice' && value === 'required') return [member, quirks.requiredWord ?? value]
  if (member !== 'reasoning_effort') return [quirks.renames?.[member] ?? member, value]
  if (quirks.reasoningAs === 'object') return ['reasoning', { effort: value }]
  if (quirks.reasoningAs !== 'switch') return [member, value]
  return ['thinking', { type: value === 'none' ? 'disabled' : 'enabled' }]
}

/**
 * A body made here, as its server takes it: members renamed, those that it refuses left out and named. Throws a
 * Refusal `unsupported_feature` where that changes what the call means.
 */
export function adaptBody(
  body: JsonObject,
  payload: ChatPayload,
  quirks: ChatQuirks,
  losses: Losses,
): Record<string, unknown> {
  const adapted: Record<string, unknown> = {}
  for (const [member, value] of Object.entries(body)) {
    if (member === 'stream_options' && quirks.takesStreamOptions === false) continue
    if (quirks.refuses?.includes(member) === true) {
      const path = payload.origin === 'anthropic-messages' ? (messagesPaths[member] ?? member) : member
      drop(member, value, member === 'reasoning_effort' ? (payload.paths.reasoning ?? path) : path, losses)
      continue
    }
    const [name, its] = valueFor(member, value, quirks)
    adapted[name] = its
  }
  return adapted
}

/** The same as changes to a body that passes. Later edits of the same member replace these. */
export function adaptEdits(json: JsonObject, quirks: ChatQuirks, losses: Losses): JsonEdit[] {
  const edits: JsonEdit[] = []
  for (const [member, value] of Object.entries(json)) {
    if (value === null || value === undefined) continue
    if (quirks.refuses?.includes(member) === true) {
      drop(member, value, member, losses)
      edits.push({ path: [member], value: undefined })
      continue
    }
    if (member === 'stream_options' && quirks.takesStreamOptions === false) {
      edits.push({ path: [member], value: undefined })
      continue
    }
    const [name, its] = valueFor(member, value, quirks)
    if (name === member && its === value) continue
    if (name !== member) edits.push({ path: [member], value: undefined })
    edits.push({ path: [name], value: JSON.stringify(its) })
  }
  return edits
}
