import { createReadStream } from 'node:fs'
import {
  createEngine,
  lineBatches,
  linesOf,
  type Replay,
  Replayer,
  readExportedRecord,
  replayLines,
  replayReport,
} from '@signalbox/policies'
import type { ListRecordsInput } from '@signalbox/sdk'
import type { ExportedRecord } from '@signalbox/sdk/contract'
import { Option } from 'commander'
import { selectedRecords } from '../backtest-options.ts'
import { type CliContext, Failure } from '../context.ts'
import type { Output } from '../output.ts'
import { fileLibrary, notingLibrary, RecordFile } from '../record-file.ts'
import { parseRecordFilter, parseSpan } from '../record-filter.ts'
import { runOverRecords } from '../record-source.ts'
import { clientLibrary } from '../replay-library.ts'
import { wholeNumber } from '../test-options.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  readonly since?: number
  readonly all?: boolean
  readonly env?: string
  readonly where?: ListRecordsInput
  readonly limit?: number
  readonly from?: string
  readonly save?: string
}

function printReplay({ output }: CliContext, replay: Replay): void {
  const { id, status, recordedDigest, replayedDigest, why, engine, selection } = replay
  output.document({ ...replay, same: status === 'same' })
  const marks = { same: 'green', different: 'red', notReplayable: 'yellow', undecided: 'yellow' } as const
  const words = {
    same: 'same',
    different: 'DIFFERENT',
    notReplayable: 'not replayable',
    undecided: 'no decision',
  }
  output.line(`${output.style(marks[status], words[status])} ${id}${why === null ? '' : `: ${why}`}`)
  if (recordedDigest !== null) output.line(`recorded  ${recordedDigest}`)
  if (replayedDigest !== null) output.line(`replayed  ${replayedDigest}`)
  if (!engine.same) output.line(`engine    recorded with ${engine.recorded}, here is ${engine.here}`)
  if (selection !== null) {
    const { status: picked, recorded, replayed } = selection
    const picks =
      picked === 'different' ? `${recorded.join(', ')} → ${(replayed ?? []).join(', ')}` : recorded.join(', ')
    output.line(`selection ${picked}: ${picks}${selection.why === null ? '' : ` (${selection.why})`}`)
  }
}

/** A record of a file, or the first one in it. */
async function recordInFile(file: string, id: string | undefined): Promise<ExportedRecord> {
  for await (const batch of lineBatches(createReadStream(file))) {
    for (const line of linesOf(batch)) {
      if (id !== undefined && !line.includes(id)) continue
      const record = readExportedRecord(line, { check: true })
      if (record !== undefined && (id === undefined || record.row.id === id)) return record
    }
  }
  throw new Failure(`${file} holds no record${id === undefined ? '' : ` ${id}`}`, 'not_found')
}

async function replayOne(
  context: CliContext,
  id: string | undefined,
  { from, save }: Options,
): Promise<void> {
  const noting = notingLibrary(from === undefined ? clientLibrary(context.client()) : await fileLibrary(from))
  const record: ExportedRecord =
    from === undefined
      ? ((await context.client().getRecord({ id: id ?? '' })) as ExportedRecord)
      : await recordInFile(from, id)
  const engine = await createEngine()
  try {
    const { replay } = await new Replayer(engine, noting.library).replay(record)
    if (save !== undefined) await new RecordFile(save).end([JSON.stringify(record), ...noting.lines()])
    printReplay(context, replay)
    if (replay.status !== 'same') throw new Failure('', replay.status)
    if (replay.selection?.status === 'different') throw new Failure('', 'different')
  } finally {
    engine.dispose()
  }
}

async function engineDigest(): Promise<string> {
  const engine = await createEngine()
  engine.dispose()
  return engine.digest
}

function printMany(output: Output, report: ReturnType<typeof replayReport>): void {
  output.document(report)
  for (const line of replayLines(report)) output.line(line)
  if (!report.ok) throw new Failure('recorded calls are decided differently here', 'different')
}

export const verb: Verb = {
  name: 'replay',
  register(program, context) {
    const command = program.command('replay')
    command
      .argument('[id]', 'id of a call (header x-signalbox-decision)')
      .description(
        'decides recorded calls again with the versions of their time: the same decision must come out',
      )
      .addOption(new Option('--since <time>', 'all calls since: 30m, 24h, 7d').argParser(parseSpan))
      .option('--all', 'all calls that are kept')
      .option('--env <environment>', 'only calls of this environment')
      .option('--where <filter>', 'effect=deny,team=search; may stand again', parseRecordFilter)
      .option('--limit <n>', 'records at most, the oldest first', wholeNumber(1, 100_000_000))
      .option('--save <file>', 'also keep the records and what they were decided with, for --from')
      .option('--from <file>', 'decide the records of a saved file again, without a control plane')
      .addHelpText(
        'after',
        examples([
          'signalbox replay 019a…',
          'signalbox replay --since 24h --env production',
          'signalbox replay 019a… --save call.ndjson',
          'signalbox replay --from call.ndjson --json',
        ]),
      )
      .action(async (id: string | undefined, options: Options) => {
        const isMany = options.since !== undefined || options.all === true
        if (isMany && id !== undefined)
          return command.error('error: expected an id or --since/--all, not both')
        if (!isMany && id === undefined && options.from === undefined) {
          return command.error('error: expected an id, --since or --all: signalbox replay ID')
        }
        if (!isMany) return await replayOne(context, id, options)
        const { self } = await runOverRecords(context, selectedRecords(options))
        printMany(context.output, replayReport(self, await engineDigest()))
      })
  },
}
