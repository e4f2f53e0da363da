import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { Dialect, DialectRoute, RequestHead } from '../dialect.ts'
import { nativeOnly } from '../native-dialect.ts'
import { isMultipart } from '../wire/multipart.ts'
import { encodeChatError, encodeChatStreamError } from '../wire/openai-chat/errors.ts'
import { decodeCompletions } from '../wire/openai-operations/completions.ts'
import { decodeEmbeddings } from '../wire/openai-operations/embeddings.ts'
import { decodeMediaForm, decodeMediaJson } from '../wire/openai-operations/media.ts'
import { decodeModerations } from '../wire/openai-operations/moderations.ts'
import { openAiCollections } from '../wire/openai-operations/stored-collections.ts'
import { decodeStored, hasBody } from '../wire/stored-collection.ts'

const id = 'openai'

function routesBelow(root: string): DialectRoute[] {
  const post = (path: string, operation: DialectRoute['operation']): DialectRoute => {
    return { method: 'post', path: root + path, operation }
  }
  const get = (path: string, operation: DialectRoute['operation']): DialectRoute => {
    return { method: 'get', path: root + path, operation }
  }
  return [
    post('/embeddings', 'embeddings'),
    post('/completions', 'completion'),
    post('/moderations', 'moderation'),
    post('/images/generations', 'image'),
    post('/images/edits', 'image'),
    post('/images/variations', 'image'),
    post('/audio/speech', 'audio'),
    post('/audio/transcriptions', 'audio'),
    post('/audio/translations', 'audio'),
    post('/rerank', 'rerank'),
    post('/files', 'files'),
    get('/files', 'files'),
    get('/files/:id', 'files'),
    { method: 'delete', path: `${root}/files/:id`, operation: 'files' },
    get('/files/:id/content', 'files'),
    post('/batches', 'batches'),
    get('/batches', 'batches'),
    get('/batches/:id', 'batches'),
    post('/batches/:id/cancel', 'batches'),
  ]
}

function isUpload(head: RequestHead): boolean {
  return head.method === 'POST' && /^(?:\/api)?\/v1\/files(?:\?|$)/.test(head.url)
}

function decodeBytes(raw: Buffer, operation: Call['operation'], head: RequestHead): Call | undefined {
  if (operation === 'image' || operation === 'audio') return decodeMediaForm(raw, operation, head, id)
  if (operation !== 'files' && operation !== 'batches') return undefined
  if (isUpload(head) && !isMultipart(head.headers['content-type'])) {
    const message = 'A file must be sent as multipart/form-data.'
    throw new Refusal('invalid_request', { status: 415, message, param: 'content-type' })
  }
  // Only a new batch has something to read.
  if (operation === 'batches' && hasBody(raw, head)) return undefined
  return decodeStored(raw, {}, head, openAiCollections[operation])
}

/** What OpenAI's clients ask beside conversations; passed on to who speaks the same format. */
export const dialect: Dialect = {
  ...nativeOnly,
  id,
  format: 'openai-chat',
  routes: ['/v1', '/api/v1'].flatMap(routesBelow),
  streamsBody: isUpload,
  decodeBytes,
  decodeRequest(raw, json, operation, head) {
    const url = head?.url ?? ''
    switch (operation) {
      case 'embeddings':
        return decodeEmbeddings(raw, json, id)
      case 'moderation':
        return decodeModerations(raw, json, id)
      case 'image':
      case 'audio':
      case 'rerank':
        return decodeMediaJson(raw, json, { operation, dialect: id, url })
      case 'batches': {
        const asked = head ?? { method: 'POST', url, headers: {} }
        return decodeStored(raw, json, asked, openAiCollections.batches)
      }
      default:
        return decodeCompletions(raw, json, id)
    }
  },
  encodeError: (refusal) => encodeChatError(refusal),
  encodeStreamError: (refusal) => encodeChatStreamError(refusal),
}
