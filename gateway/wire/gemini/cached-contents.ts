import { spliceRequest } from '../json-splice.ts'
import type { StoredCollection } from '../stored-collection.ts'

/** Contents that Google keeps to be read again at a lower price. Source: ai.google.dev/api/caching. */
export const cachedContents: StoredCollection = {
  name: 'cachedContents',
  operation: 'files',
  dialect: 'gemini',
  format: 'gemini',
  shape: /^(?:\/gemini)?(\/v1(?:beta|alpha)?)\/cachedContents(?:\/([^/?#]*))?(\/[a-z]+)?(?:\?(.*))?$/s,
  root: (version) => `${version}/cachedContents`,
  storedId: (id) => `cachedContents/${id}`,
  required: { model: 'string' },
  model: 'model',
  encodeNew: ({ raw }, model) =>
    spliceRequest(raw, [{ path: ['model'], value: JSON.stringify(`models/${model}`) }]),
}
