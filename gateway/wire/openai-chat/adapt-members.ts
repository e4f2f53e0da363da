import type { ChatPayload } from '../../call.ts'
import type { JsonEdit } from '../json-splice.ts'
import type { JsonObject } from '../json-value.ts'
import type { Losses } from '../losses.ts'
import { loseReasoning } from '../reasoning-level.ts'
import type { ChatQuirks } from './quirks.ts'

/** Members whose loss changes what a call means, unless they say what happens anyway. */
const meaning: Readonly<Record<string, (value: unknown) => boolean>> = {
  parallel_tool_calls: (value) => value === false,
  logprobs: (value) => value === true,
  n: (value) => value !== 1,
  response_format: () => true,
  tools: () => true,
}
/** Parameters by the member of Chat Completions that they become. */
const parametersOf: Readonly<Record<string, string>> = {
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  seed: 'seed',
  n: 'choices',
  stop: 'stop',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  parallel_tool_calls: 'parallelToolCalls',
  tool_choice: 'toolChoice',
  user: 'userId',
  safety_identifier: 'userId',
  response_format: 'output',
  reasoning_effort: 'reasoning',
}

/** What the caller calls a member that his request became here. */
export function callersName(member: string, { paths }: Pick<ChatPayload, 'paths'>): string {
  const parameter = parametersOf[member]
  return (parameter === undefined ? undefined : paths[parameter]) ?? member
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

/** Whether a server that can only think or not is told how hard. */
function losesLevel(member: string, value: unknown, { reasoningAs }: ChatQuirks): boolean {
  return member === 'reasoning_effort' && reasoningAs === 'switch' && value !== 'none'
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
      if (member === 'reasoning_effort') loseReasoning(payload, losses)
      else drop(member, value, callersName(member, payload), losses)
      continue
    }
    if (losesLevel(member, value, quirks)) loseReasoning(payload, losses)
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
    if (losesLevel(member, value, quirks)) losses.drop(member)
    const [name, its] = valueFor(member, value, quirks)
    if (name === member && its === value) continue
    if (name !== member) edits.push({ path: [member], value: undefined })
    edits.push({ path: [name], value: JSON.stringify(its) })
  }
  return edits
}
