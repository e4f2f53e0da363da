import type { StoredReference } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'

/** An id is kept by its hash; longer ones than this are none. */
const idLengthMax = 256
const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= idLengthMax

/**
 * The ids that later calls may name of an answer which the provider keeps: its own, its conversation's and its
 * items'. None of an answer that is not kept.
 */
export function storedIdsOf(response: JsonObject | undefined): readonly string[] {
  if (response === undefined || response.store === false) return []
  const conversation = asString(response.conversation) ?? asObject(response.conversation)?.id
  const items = asArray(response.output).map((item) => asObject(item)?.id)
  return [response.id, conversation, ...items].filter(isId)
}

/** Every stored thing that a Responses request goes on from. */
export function storedReferences(json: JsonObject): readonly StoredReference[] {
  const found: StoredReference[] = []
  const add = (path: string, id: unknown): void => {
    if (typeof id === 'string' && id !== '') found.push({ path, id })
  }
  add('previous_response_id', json.previous_response_id)
  if (isObject(json.conversation)) add('conversation.id', json.conversation.id)
  else add('conversation', json.conversation)
  for (const [index, value] of asArray(json.input).entries()) {
    const item = asObject(value)
    if (item?.type === 'item_reference') add(`input[${index}].id`, item.id)
  }
  return found
}
