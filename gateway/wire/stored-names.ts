import type { StoredReference } from '../call.ts'
import { isObject } from './json-value.ts'

/**
 * Ids of what providers keep, by their usual beginnings: files, batches, answers, conversations, vector stores,
 * fine-tuning jobs, assistants, threads, uploads, Anthropic's batches. Messages and items inside an answer are not
 * among them: those are named in every turn.
 */
const storedId =
  /^(?:file|batch|resp|conv|vs|ftjob|asst|thread|upload|msgbatch|video|cntr|skill|sess|eval|evalrun)[-_][\w-]{1,250}$/
/** Names of Gemini's stored things. */
const storedName = /^(?:files|cachedContents|batches|corpora|tunedModels|fileSearchStores)\/[\w-]{1,128}$/
/** References that are looked for; a body with more is refused by who reads them. */
const referencesMax = 1000
const depthMax = 64

/** Whether a text is the id of a thing that a provider keeps. */
export function isStoredName(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 256 && (storedId.test(text) || storedName.test(text))
}

/** Ids that stand in a path, by themselves or behind the name of their collection. */
export function storedInPath(path: string): StoredReference[] {
  const parts = path.split('?', 1)[0]?.split('/') ?? []
  return parts.flatMap((part, index) => {
    const id = part.split(':', 1)[0] ?? ''
    const named = `${parts[index - 1] ?? ''}/${id}`
    if (isStoredName(id)) return [{ path: 'id', id }]
    return isStoredName(named) ? [{ path: 'id', id: named }] : []
  })
}

/** Ids that stand anywhere in a body. */
export function storedInJson(json: unknown): StoredReference[] {
  const found: StoredReference[] = []
  const walk = (value: unknown, path: string, depth: number): void => {
    if (found.length >= referencesMax || depth > depthMax) return
    if (isStoredName(value)) found.push({ path, id: value })
    else if (Array.isArray(value))
      for (const [index, each] of value.entries()) walk(each, `${path}[${index}]`, depth + 1)
    else if (isObject(value)) {
      for (const [name, each] of Object.entries(value))
        walk(each, path === '' ? name : `${path}.${name}`, depth + 1)
    }
  }
  walk(json, '', 0)
  return found
}

/** Ids of what an answer says is kept now: its own, and those of the files that a batch makes. */
export function storedInAnswer(json: unknown): string[] {
  if (!isObject(json)) return []
  const inner = isObject(json.response) ? json.response : isObject(json.file) ? json.file : json
  return [inner.id, inner.name, inner.output_file_id, inner.error_file_id].filter(isStoredName)
}
