import type { StoredReference } from '../../call.ts'
import type { JsonObject } from '../json-value.ts'
import { asList, readFields } from './read-fields.ts'

/** A file of Google's own store: `https://generativelanguage.googleapis.com/v1beta/files/abc-123`. */
const storedFile = /^(?:https:\/\/generativelanguage\.googleapis\.com\/\w+\/)?(files\/[\w-]+)$/

/** Every stored thing that a Gemini request names: a cached content, files of the account. */
export function storedReferences(json: JsonObject): readonly StoredReference[] {
  const found: StoredReference[] = []
  const cached = readFields(json)?.cachedContent
  if (typeof cached === 'string' && cached !== '') found.push({ path: 'cachedContent', id: cached })
  for (const [index, content] of asList(json.contents).entries()) {
    for (const [at, part] of asList(readFields(content)?.parts).entries()) {
      const { fileUri } = readFields(readFields(part)?.fileData) ?? {}
      const [, id] = typeof fileUri === 'string' ? (storedFile.exec(fileUri) ?? []) : []
      if (id !== undefined) found.push({ path: `contents[${index}].parts[${at}].fileData.fileUri`, id })
    }
  }
  return found
}
