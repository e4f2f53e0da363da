import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { guardedLookup, guardUrl, type OutboundRules } from './guard-url.ts'

export interface PostOptions extends OutboundRules {
  readonly headers: Readonly<Record<string, string>>
  /** For the whole exchange. */
  readonly timeoutMs: number
}

/**
 * Posts a JSON document to a URL that somebody gave us, and gives the status. Redirects are not followed, and nothing
 * of the answer but its status is read.
 * @throws Refusal where the URL may not be asked, Error where it did not answer.
 */
export function postDocument(text: string, body: string, options: PostOptions): Promise<number> {
  const { timeoutMs } = options
  const url = guardUrl(text, options)
  const lookup = guardedLookup(url, options)
  const request = url.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'signalbox',
      ...options.headers,
    }
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request(
      url,
      { method: 'POST', headers, agent: false, signal, ...(lookup === undefined ? {} : { lookup }) },
      (answer) => {
        resolve(answer.statusCode ?? 0)
        answer.destroy()
      },
    )
    sent.on('error', (error) => reject(signal.aborted ? new Error(`no answer in ${timeoutMs} ms`) : error))
    sent.end(body)
  })
}
