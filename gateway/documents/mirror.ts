import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RootDocument } from '@signalbox/sdk/contract'
import { digestOf, fits } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { Agent, request } from 'undici'
import { blobBytesMax } from './collect-blobs.ts'
import type { DocumentInbox } from './document-inbox.ts'
import { Rejection } from './rejection.ts'

const timeoutMs = 15_000
const digestPattern = /^sha256:([0-9a-f]{2})([0-9a-f]{62})$/
/** What stands in `mirror.json`: for whom the documents are. They are signed; this is not, and is held against them. */
const MirrorHead = Type.Object({ organisationId: Type.String(), environment: Type.String() })

/**
 * A copy of the signed documents and their blobs, in a folder or behind HTTP, for when the control plane is away: a new
 * gateway starts from it, and one that runs hears of what was still published. Whoever writes it needs no trust:
 * everything is verified as if the control plane had sent it.
 */
export class Mirror {
  readonly #at: string
  readonly #agent = new Agent({ connect: { timeout: 5000 } })

  /** A path, or an address with `http:` or `https:`. */
  constructor(at: string) {
    this.#at = at.replace(/\/+$/, '')
  }

  /** A file of the mirror; undefined where it is not there. Throws where the mirror cannot be read. */
  async #read(name: string): Promise<Buffer | undefined> {
    if (!/^https?:/.test(this.#at)) {
      return await readFile(join(this.#at, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
    }
    const url = `${this.#at}/${name}`
    const reply = await request(url, {
      ...{ dispatcher: this.#agent, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    })
    if (reply.statusCode !== 200) {
      await reply.body.dump()
      if (reply.statusCode === 404 || reply.statusCode === 403) return undefined
      throw new Error(`the mirror answered ${name} with ${reply.statusCode}`)
    }
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > blobBytesMax) throw new Error(`${name} of the mirror has more than ${blobBytesMax} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  /** The environment that the mirror is of, where it is of this organisation. */
  async loadEnvironment({ organisationId }: RootDocument): Promise<string | undefined> {
    const text = (await this.#read('mirror.json'))?.toString('utf8')
    if (text === undefined) return undefined
    const head: unknown = JSON.parse(text)
    return fits(MirrorHead, head) && head.organisationId === organisationId ? head.environment : undefined
  }

  /** A blob. @throws Rejection where the mirror lacks it, or holds another under its name. */
  async blob(digest: string): Promise<Buffer> {
    const [, group, rest] = digestPattern.exec(digest) ?? []
    const bytes = await this.#read(`blobs/${group}/${group}${rest}`)
    if (bytes === undefined) throw new Rejection(`the mirror does not have the blob ${digest}`)
    const actual = digestOf(bytes)
    if (actual !== digest) throw new Rejection(`the blob ${digest} of the mirror is ${actual}`)
    return bytes
  }

  /** Takes what is newer than what is in use: roots one by one, then the state, then the release. */
  async sync(inbox: DocumentInbox): Promise<void> {
    const source = { fetchBlob: (digest: string) => this.blob(digest) }
    for (;;) {
      const before = inbox.sequenceOf('root') ?? 0
      const text = (await this.#read(`root-${before + 1}.json`))?.toString('utf8')
      if (text !== undefined) await inbox.receiveFrom(source, 'root', text)
      if (inbox.sequenceOf('root') === before) break
    }
    for (const kind of ['state', 'release'] as const) {
      const text = (await this.#read(`${kind}.json`))?.toString('utf8')
      if (text !== undefined) await inbox.receiveFrom(source, kind, text)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}
