import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import type { ReleaseReference, ReplayLibrary } from '@signalbox/policies'
import { Catalogue, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { Failure } from './context.ts'

/**
 * Records in a file with all that they were decided with, so that they can be decided again on another machine without
 * a network: NDJSON, a record in a line, and after them lines that begin with `{"keep":`.
 */
type Kept =
  | { readonly kind: 'release'; readonly reference: ReleaseReference; readonly value: ReleaseContext }
  | { readonly kind: 'build'; readonly digest: string; readonly value: VersionBuild }
  | { readonly kind: 'catalogue'; readonly digest: string; readonly value: Catalogue }

const keptStart = '{"keep":'
const schemas = { release: ReleaseContext, build: VersionBuild, catalogue: Catalogue } as const
const nameOf = ({ environment, sequence, state }: ReleaseReference): string =>
  `${environment} ${sequence} ${state ?? ''}`

/** Reads what a file keeps beside its records. @throws Failure where such a line is not one of ours. */
export async function fileLibrary(file: string): Promise<ReplayLibrary> {
  const kept = new Map<string, Kept['value']>()
  const input = createReadStream(file)
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!line.startsWith(keptStart)) continue
      const { keep } = JSON.parse(line) as { keep: Kept }
      if (!Object.hasOwn(schemas, keep.kind) || !fits(schemas[keep.kind], keep.value)) {
        throw new Failure(`${file}: ${line.slice(0, 60)}… is nothing that replay keeps beside records`)
      }
      kept.set(`${keep.kind} ${keep.kind === 'release' ? nameOf(keep.reference) : keep.digest}`, keep.value)
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${file}: ${error instanceof Error ? error.message : error}`)
  } finally {
    input.destroy()
  }
  return {
    release: async (reference) => kept.get(`release ${nameOf(reference)}`) as ReleaseContext | undefined,
    build: async (digest) => kept.get(`build ${digest}`) as VersionBuild | undefined,
    catalogue: async (digest) => kept.get(`catalogue ${digest}`) as Catalogue | undefined,
  }
}

/** A library that notes what was read from it. */
export function notingLibrary(library: ReplayLibrary): { library: ReplayLibrary; lines(): string[] } {
  const kept = new Map<string, Kept>()
  const note = (name: string, keep: Kept): void => void kept.set(name, keep)
  return {
    library: {
      async release(reference) {
        const value = await library.release(reference)
        if (value !== undefined) note(`release ${nameOf(reference)}`, { kind: 'release', reference, value })
        return value
      },
      async build(digest) {
        const value = await library.build(digest)
        if (value !== undefined) note(`build ${digest}`, { kind: 'build', digest, value })
        return value
      },
      async catalogue(digest) {
        const value = await library.catalogue(digest)
        if (value !== undefined) note(`catalogue ${digest}`, { kind: 'catalogue', digest, value })
        return value
      },
    },
    lines: () => [...kept.values()].map((keep) => JSON.stringify({ keep })),
  }
}

/** Writes records to a file while somebody else reads them, and what they were decided with at the end. */
export class RecordFile {
  readonly #file: string
  readonly #stream

  constructor(file: string) {
    this.#file = file
    this.#stream = createWriteStream(file)
    // Whoever writes next hears of it.
    this.#stream.on('error', () => undefined)
  }

  /** The same records, each piece written on its way. */
  async *copying(records: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of records) {
      if (this.#stream.errored !== null) throw new Failure(`${this.#file}: ${this.#stream.errored.message}`)
      if (!this.#stream.write(piece)) await once(this.#stream, 'drain')
      yield piece
    }
  }

  async end(lines: readonly string[]): Promise<void> {
    try {
      await pipeline(async function* () {
        for (const line of lines) yield `${line}\n`
      }, this.#stream)
    } catch (error) {
      throw new Failure(`${this.#file}: ${error instanceof Error ? error.message : error}`)
    }
  }
}
