import { close, closeSync, openSync, write } from 'node:fs'
import type { IncarnationFolder } from './incarnation-folder.ts'
import type { Written } from './journal-messages.ts'

const newline = 10
const chunkBytes = 256 * 1024
const fileBytesMax = 4 * 1024 * 1024
const spareChunksMax = 8
const retryMs = 1000

export interface RawWriterOptions {
  readonly folder: IncarnationFolder
  /** Lines wait at most this long for others before they are written. */
  readonly flushAfterMs: number
  readonly onWritten: (written: Written) => void
  readonly onFailure: (error: Error) => void
}

/**
 * Appends lines to the raw files, in batches, never blocking: they are copied into a buffer at once and written by the
 * thread pool, one write at a time. After a failed write the same bytes go to a new file.
 */
export class RawWriter {
  readonly #options: RawWriterOptions
  readonly #spare: Buffer[] = []
  #chunk: Buffer = Buffer.allocUnsafeSlow(chunkBytes)
  #used = 0
  /** Filled buffers, oldest first; the first one may be on its way to the disk. */
  #filled: Buffer[] = []
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #descriptor: number | undefined
  #file: number
  #end = 0
  #writing = false
  /** What is in the buffer is to be written although it is not full. */
  #isDue = false
  #idle: (() => void)[] = []
  /** Bytes that are not on the disk yet. */
  pendingBytes = 0

  constructor(options: RawWriterOptions) {
    this.#options = options
    this.#file = options.folder.rawFiles().at(-1)?.file ?? 0
  }

  /** Takes a line without its end. */
  append(line: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    const bytesMax = line.length * 3 + 1
    if (bytesMax > chunkBytes) {
      this.#closeChunk()
      const bytes = Buffer.from(`${line}\n`, 'utf8')
      this.#filled.push(bytes)
      this.pendingBytes += bytes.length
    } else {
      if (this.#used + bytesMax > chunkBytes) this.#closeChunk()
      const length = this.#chunk.write(line, this.#used, 'utf8') + 1
      this.#used += length
      this.#chunk[this.#used - 1] = newline
      this.pendingBytes += length
    }
    if (this.#filled.length > 0) this.#pump()
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.flushAfterMs)
  }

  #closeChunk(): void {
    if (this.#used === 0) return
    this.#filled.push(this.#chunk.subarray(0, this.#used))
    this.#chunk = this.#spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes)
    this.#used = 0
  }

  /** The time is over: what waits is written, right after the write that may be under way. */
  #flush(): void {
    this.#timer = undefined
    this.#isDue = true
    this.#pump()
  }

  #pump(): void {
    if (this.#writing || this.#retry !== undefined) return
    if (this.#isDue && this.#filled.length === 0) {
      this.#isDue = false
      this.#closeChunk()
    }
    const [bytes] = this.#filled
    if (bytes === undefined) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#writing = true
    try {
      this.#descriptor ??= this.#openNext()
      this.#write(this.#descriptor, bytes, 0)
    } catch (error) {
      this.#failed(error as Error)
    }
  }

  #openNext(): number {
    this.#file++
    this.#end = 0
    return openSync(this.#options.folder.rawPath(this.#file), 'ax', 0o600)
  }

  #write(descriptor: number, bytes: Buffer, offset: number): void {
    write(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error !== null) this.#failed(error)
      else if (offset + written < bytes.length) this.#write(descriptor, bytes, offset + written)
      else this.#wrote(bytes)
    })
  }

  #wrote(bytes: Buffer): void {
    this.#writing = false
    this.#filled.shift()
    this.pendingBytes -= bytes.length
    this.#end += bytes.length
    if (bytes.buffer.byteLength === chunkBytes && this.#spare.length < spareChunksMax) {
      this.#spare.push(Buffer.from(bytes.buffer))
    }
    this.#options.onWritten({ file: this.#file, end: this.#end })
    if (this.#end >= fileBytesMax) this.#closeFile()
    this.#pump()
  }

  /** The tail of a failed file is never read: nobody was told that it is written. */
  #failed(error: Error): void {
    this.#writing = false
    this.#closeFile()
    this.#options.onFailure(error)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#pump()
    }, retryMs)
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) close(this.#descriptor)
    this.#descriptor = undefined
  }

  /** Resolves when everything is on the disk, or after `withinMs`. */
  async finish(withinMs: number): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#closeChunk()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs)
      this.#idle.push(resolve)
      this.#pump()
    })
    clearTimeout(timer)
    clearTimeout(this.#retry)
    if (this.#descriptor !== undefined && !this.#writing) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
