import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GapRecord } from '@signalbox/sdk/contract'
import { pino } from 'pino'
import { Journal, type JournalOptions } from '../../../gateway/journal/journal.ts'
import { callRecord } from '../../support/call-records.ts'
import type { FakeControlPlane } from '../../support/fake-control-plane.ts'

const folders: string[] = []
const journals = new Set<Journal>()

export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-journal-'))
  folders.push(folder)
  return folder
}

export function openJournal(
  controlPlane: { readonly url: string; readonly token: string },
  options: Partial<JournalOptions> = {},
): Journal {
  const journal = new Journal({
    folder: options.folder ?? createFolder(),
    incarnation: crypto.randomUUID(),
    url: controlPlane.url,
    token: controlPlane.token,
    bytesMax: 256 * 1024 * 1024,
    log: pino({ level: 'silent' }),
    times: { flushAfterMs: 5, sealAfterMs: 20, backoffBaseMs: 10, backoffMaxMs: 50 },
    ...options,
  })
  journals.add(journal)
  return journal
}

/** Records calls as the end of a call does. */
export function recordCalls(journal: Journal, count: number, incarnation?: string): void {
  for (let index = 0; index < count; index++) {
    const sequence = journal.nextSequence()
    const record = callRecord({ sequence, ...(incarnation !== undefined && { incarnation }) })
    journal.record(sequence, JSON.stringify(record))
  }
}

export async function closeAll(): Promise<void> {
  for (const journal of journals) await journal.close(100)
  journals.clear()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** Lets a journal go that a test closed itself. */
export async function closeJournal(journal: Journal, withinMs: number): Promise<void> {
  journals.delete(journal)
  await journal.close(withinMs)
}

/** Sequences of an incarnation that arrived: as records, and as gaps. */
export function arrived(
  controlPlane: FakeControlPlane,
  incarnation?: string,
): { records: number[]; gaps: GapRecord['gap'][] } {
  const lines = controlPlane.segments
    .filter((segment) => incarnation === undefined || segment.incarnation === incarnation)
    .flatMap((segment) => segment.lines)
  return {
    records: lines.flatMap((line) => ('row' in line ? [line.row.sequence] : [])),
    gaps: lines.flatMap((line) => ('gap' in line ? [line.gap] : [])),
  }
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** Every sequence from 1 on, once each: as a record or in a gap. */
export function covered({ records, gaps }: ReturnType<typeof arrived>): number[] {
  const lost = gaps.flatMap(({ from, to }) => upTo(to - from + 1).map((index) => from + index - 1))
  return [...records, ...lost].sort((a, b) => a - b)
}
