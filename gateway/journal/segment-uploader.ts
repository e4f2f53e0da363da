import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

const uploadTimeoutMs = 30_000
const replyCharsMax = 64 * 1024

/** The control plane did not take a segment. */
export class UploadError extends Error {
  /** 0 where nobody answered. */
  readonly status: number
  constructor(status: number, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'UploadError'
    this.status = status
  }

  /** The bytes are at fault: sending them again will not help. */
  get isAboutTheBytes(): boolean {
    return this.status === 400 || this.status === 413
  }
}

export interface Upload {
  readonly incarnation: string
  readonly digest: string
  readonly previous: string | null
  readonly records: number
  readonly bytes: Buffer
}

function unreachable(cause: unknown): UploadError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer in time'
  return new UploadError(0, `the control plane cannot be reached (${code})`, { cause })
}

async function readReply(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (text.length < replyCharsMax) text += chunk.toString('utf8')
  }
  return text
}

/** Sends segments, one request at a time. Node's own client: this thread loads nothing that it does not need. */
export class SegmentUploader {
  readonly #origin: string
  readonly #path: string
  readonly #authorization: string
  readonly #isSecure: boolean
  readonly #agent: HttpAgent

  /** `path` is the operation's, with `:digest`. */
  constructor(options: { readonly url: string; readonly path: string; readonly token: string }) {
    this.#origin = options.url.replace(/\/+$/, '')
    this.#path = options.path
    this.#authorization = `Bearer ${options.token}`
    this.#isSecure = this.#origin.startsWith('https:')
    const limits = { keepAlive: true, maxSockets: 1 }
    this.#agent = this.#isSecure ? new HttpsAgent(limits) : new HttpAgent(limits)
  }

  /** Throws an UploadError where the control plane does not say that it has the segment. */
  async upload(segment: Upload, signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams({
      incarnation: segment.incarnation,
      records: String(segment.records),
      ...(segment.previous !== null && { previous: segment.previous }),
    })
    const path = this.#path.replace(':digest', encodeURIComponent(segment.digest))
    const { status, text } = await this.#put(`${this.#origin}${path}?${query}`, segment.bytes, signal)
    if (status === 200) return
    const code = /"code"\s*:\s*"([a-z_]{1,64})"/.exec(text)?.[1] ?? 'no code'
    throw new UploadError(status, `a segment was answered with ${status} (${code})`)
  }

  async #put(url: string, bytes: Buffer, signal: AbortSignal): Promise<{ status: number; text: string }> {
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const send = this.#isSecure ? httpsRequest : httpRequest
        const headers = {
          authorization: this.#authorization,
          'content-type': 'application/octet-stream',
          'content-length': bytes.length,
        }
        const limit = AbortSignal.any([signal, AbortSignal.timeout(uploadTimeoutMs)])
        const request = send(url, { method: 'PUT', agent: this.#agent, headers, signal: limit }, resolve)
        request.on('error', reject)
        request.end(bytes)
      })
      return { status: response.statusCode ?? 0, text: await readReply(response) }
    } catch (error) {
      throw unreachable(error)
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}
