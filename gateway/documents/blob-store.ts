import { readdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '@signalbox/sdk/node'
import { loadIfThere, storeDurably } from './durable-file.ts'

const digestPattern = /^sha256:([0-9a-f]{64})$/

/** Blobs on the disk, by digest. What is read is checked again: a disk may rot, or a stranger write to it. */
export class BlobStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Two levels, so that a folder of many key shards stays quick to read. */
  #path(digest: string): string {
    const hex = digestPattern.exec(digest)?.[1]
    if (hex === undefined) throw new Error(`not a digest: ${digest}`)
    return join(this.#folder, hex.slice(0, 2), hex)
  }

  /** The blob, or undefined where it is not there or is no longer what its name says; then it is removed. */
  async load(digest: string): Promise<Buffer | undefined> {
    const path = this.#path(digest)
    const bytes = await loadIfThere(path)
    if (bytes === undefined || digestOf(bytes) === digest) return bytes
    await unlink(path)
    return undefined
  }

  /** Keeps a blob whose digest was checked before. */
  async store(digest: string, bytes: Uint8Array): Promise<void> {
    await storeDurably(this.#path(digest), bytes)
  }

  /** Removes all blobs but these, and what broken writes left. Gives how many files went. */
  async removeAllBut(digests: ReadonlySet<string>): Promise<number> {
    let removed = 0
    for (const group of await this.#folders()) {
      for (const name of await readdir(join(this.#folder, group))) {
        if (digests.has(`sha256:${name}`)) continue
        await rm(join(this.#folder, group, name), { force: true })
        removed++
      }
    }
    return removed
  }

  async #folders(): Promise<string[]> {
    try {
      const entries = await readdir(this.#folder, { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    } catch {
      return []
    }
  }
}
