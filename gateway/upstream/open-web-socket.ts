import type { IncomingMessage } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import { WebSocket } from 'ws'

/** One message of a session, in either direction; audio comes in many small ones. */
export const messageBytesMax = 16 * 1024 * 1024

export interface OutboundSession {
  /** Of the connection; `https:` becomes `wss:`. */
  readonly baseUrl: string
  /** Below it, with the query. */
  readonly path: string
  /** With the credential. */
  readonly headers: Readonly<Record<string, string>>
  readonly connectMs: number
  /** The connection's own authority (PEM), in place of the common ones. */
  readonly ca?: string | undefined
}

/** Why an upstream would not open a session; `status` where it said so over HTTP. */
export class SessionRefused extends Refusal {
  readonly upstreamStatus: number | undefined

  constructor(upstreamStatus: number | undefined, detail: string) {
    const isTaken = upstreamStatus === 429 || upstreamStatus === 503
    super(upstreamStatus === undefined ? 'upstream_unavailable' : 'upstream_error', {
      detail,
      ...(isTaken && { status: upstreamStatus }),
    })
    this.upstreamStatus = upstreamStatus
  }
}

/**
 * Opens a session at an upstream. Redirects are not followed. The socket is paused, so that nothing is lost before
 * somebody reads it.
 * @throws SessionRefused where the upstream will not, or does not in time.
 */
export function openWebSocket({
  baseUrl,
  path,
  headers,
  connectMs,
  ca,
}: OutboundSession): Promise<WebSocket> {
  const url = new URL(baseUrl)
  const origin = `${url.protocol === 'http:' ? 'ws:' : 'wss:'}//${url.host}${url.pathname.replace(/\/+$/, '')}`
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(origin + path, {
      headers,
      ...(ca !== undefined && { ca }),
      handshakeTimeout: connectMs,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
      followRedirects: false,
    })
    socket.once('open', () => {
      socket.pause()
      resolve(socket)
    })
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      response.resume()
      socket.terminate()
      reject(new SessionRefused(response.statusCode ?? 502, `status ${response.statusCode} to a session`))
    })
    socket.on('error', (error: Error) => {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
      reject(new SessionRefused(undefined, code))
    })
  })
}
