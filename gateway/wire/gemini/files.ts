import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Call } from '../../call.ts'
import type { RequestHead } from '../../dialect.ts'
import { decodeStored, type StoredCollection } from '../stored-collection.ts'
import { cachedContents } from './cached-contents.ts'

/** Files that Google keeps for two days. Source: ai.google.dev/api/files. */
const files: StoredCollection = {
  name: 'files',
  operation: 'files',
  dialect: 'gemini',
  format: 'gemini',
  shape: /^(?:\/gemini)?(\/v1(?:beta|alpha)?)\/files(?:\/([^/?#:]*))?(:download)?(?:\?(.*))?$/s,
  root: (version) => `${version}/files`,
  storedId: (id) => `files/${id}`,
}

/** How their bytes come there, in one request or in several. Source: ai.google.dev/gemini-api/docs/files. */
const uploads: StoredCollection = {
  ...files,
  shape: /^(?:\/gemini)?(\/upload\/v1(?:beta|alpha)?)\/files(?:\/([^?]*))?()(?:\?(.*))?$/s,
  root: (before) => `${before}/files`,
  headers: [
    'x-goog-upload-protocol',
    'x-goog-upload-command',
    'x-goog-upload-offset',
    'x-goog-upload-header-content-length',
    'x-goog-upload-header-content-type',
    'x-goog-upload-file-name',
  ],
}
const uploadPath = /^(?:\/gemini)?\/upload\//
const filesPath = /^(?:\/gemini)?\/v1(?:beta|alpha)?\/files(?:[/?]|$)/
const urlHeader = 'x-goog-upload-url'
/** A second address of the same upload, which leads past the gateway. */
const controlHeader = 'x-goog-upload-control-url'

/** Whether a request brings the bytes of a file. */
export function isGeminiUpload({ method, url }: RequestHead): boolean {
  return method === 'POST' && uploadPath.test(url)
}

/** An upload that goes on over several requests, as a thing that is kept until it is over. */
function uploadName(id: string): string {
  return `uploads/${hash('sha256', id, 'base64url')}`
}

/** Reads what is asked of the things that Google keeps: cached contents, files, and uploads of files. */
export function decodeGeminiStored(
  raw: Buffer,
  json: Readonly<Record<string, unknown>>,
  head: RequestHead,
): Call {
  if (!isGeminiUpload(head)) {
    return decodeStored(raw, json, head, filesPath.test(head.url) ? files : cachedContents)
  }
  const call = decodeStored(raw, json, head, uploads)
  const { native } = call
  if (native === undefined) return call
  // Nobody knows which of several counts: all must be the caller's.
  const ids = queryOf(head.url).getAll('upload_id')
  return {
    ...call,
    ...(ids.length > 0 && { stored: ids.map((id) => ({ path: 'upload_id', id: uploadName(id) })) }),
    native: { ...native, mapHeaders: (headers) => ownUploadHeaders(headers, head) },
  }
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?')
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1))
}

/**
 * The headers of an upload's beginning with an address of this gateway in place of Google's own, which may hold the
 * connection's key and would lead the file past the gateway.
 */
function ownUploadHeaders(
  headers: IncomingHttpHeaders,
  { url, origin = '' }: RequestHead,
): { readonly headers: IncomingHttpHeaders; readonly storedIds: readonly string[] } {
  const { [urlHeader]: given, [controlHeader]: _control, ...rest } = headers
  const query = queryOf(typeof given === 'string' ? given : '')
  const id = query.get('upload_id')
  if (id === null) return { headers: rest, storedIds: [] }
  query.delete('key')
  const path = url.split('?', 1)[0] ?? ''
  return { headers: { ...rest, [urlHeader]: `${origin}${path}?${query}` }, storedIds: [uploadName(id)] }
}
