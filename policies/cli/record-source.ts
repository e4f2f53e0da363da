import { createReadStream } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type BacktestVersions, type ReplayLibrary, runBacktest, type Tally } from '@signalbox/policies'
import type { Client, ListRecordsInput } from '@signalbox/sdk'
import type { CliContext } from './context.ts'
import { fileLibrary, notingLibrary, RecordFile } from './record-file.ts'
import { clientLibrary } from './replay-library.ts'

/** Which records are decided again, and where they come from. */
export interface RecordSelection {
  readonly filter: ListRecordsInput
  /** Records that are read at most; the newest are left out. */
  readonly limit?: number
  /** A file instead of the control plane. */
  readonly from?: string
  /** A file to keep records and versions in. */
  readonly save?: string
}

const pageRecords = 500
const threadsMax = 8
const newline = 10

/** Pages of records, oldest first: their lines, and where the next page starts. */
export async function* exportedPages(
  client: Client,
  { filter, limit, cursor: start }: RecordSelection & { readonly cursor?: string },
): AsyncGenerator<{ readonly lines: Uint8Array; readonly nextCursor: string | null }> {
  let cursor: string | null = start ?? null
  let left = limit ?? Number.POSITIVE_INFINITY
  do {
    const asked: number = Math.min(pageRecords, left)
    const page: Uint8Array = await client.exportRecords({
      ...filter,
      limit: asked,
      ...(cursor !== null && { cursor }),
    })
    // The last line says where the next page starts.
    const last = page.lastIndexOf(newline, page.length - 2) + 1
    const { end } = JSON.parse(Buffer.from(page.subarray(last)).toString('utf8')) as {
      end: { nextCursor: string | null }
    }
    if (last > 0) yield { lines: page.subarray(0, last), nextCursor: end.nextCursor }
    left -= asked
    cursor = end.nextCursor
  } while (cursor !== null && left > 0)
}

async function* linesOf(pages: ReturnType<typeof exportedPages>): AsyncGenerator<Uint8Array> {
  for await (const { lines } of pages) yield lines
}

/** A thread for each core, one of which also reads. */
export function threadsHere(): number {
  return Math.max(1, Math.min(threadsMax, availableParallelism()))
}

/** Decides the selected records again; `candidate` of `versions` is what they are also decided with. */
export async function runOverRecords(
  context: CliContext,
  selection: RecordSelection,
  versions: BacktestVersions = {},
): Promise<Tally> {
  const { output } = context
  const { from, save } = selection
  const source: ReplayLibrary = from === undefined ? clientLibrary(context.client()) : await fileLibrary(from)
  const noting = notingLibrary(source)
  const records =
    from === undefined ? linesOf(exportedPages(context.client(), selection)) : createReadStream(from)
  const file = save === undefined ? undefined : new RecordFile(save)
  const tally = await runBacktest({
    ...versions,
    records: file === undefined ? records : file.copying(records),
    library: noting.library,
    check: from !== undefined,
    threads: threadsHere(),
    onProgress: (done) => output.progress(`${done} records`),
  })
  output.progress('')
  await file?.end(noting.lines())
  return tally
}
