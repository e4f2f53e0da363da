import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import type { Client } from '@signalbox/sdk'
import { AuditChainReader, type AuditRow } from '@signalbox/sdk/node'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

interface Filter {
  action?: string
  actor?: string
}
interface Head {
  readonly sequence: number
  readonly hash: string
}
const rowsPerRead = 1000

/** `SEQUENCE:HASH`, as `verify` prints it. @throws Failure. */
function parseHead(text: string): Head {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined || hash === undefined)
    throw new Failure(`--head is SEQUENCE:HASH, as an earlier verification printed it; not "${text}".`)
  return { sequence: Number(sequence), hash }
}

const filterOf = ({ action, actor }: Filter): Filter => ({
  ...(action === undefined ? {} : { action }),
  ...(actor === undefined ? {} : { actor }),
})

async function* allRows(client: Client, filter: Filter): AsyncGenerator<AuditRow> {
  for (let after = 0; ; ) {
    const { items } = await client.listAudit({ ...filter, after, limit: rowsPerRead })
    yield* items
    const last = items.at(-1)
    if (last === undefined || items.length < rowsPerRead) return
    after = last.sequence
  }
}

/** Reads an export by itself, so that nobody who runs the control plane need be believed. */
async function verifyFile(path: string, head: Head | undefined) {
  const reader = new AuditChainReader()
  let continues: boolean | null = head === undefined ? null : false
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line === '') continue
    let row: AuditRow
    try {
      row = JSON.parse(line) as AuditRow
      reader.take(row)
    } catch {
      throw new Failure(`${path}:${reader.rows + 1}: this is no audit row.`)
    }
    if (row.sequence === head?.sequence) continues = row.hash === head.hash
  }
  const { rows, broken, hash } = reader
  const brokenSegments: string[] = []
  return { rows, broken, continues, head: rows === 0 ? null : { sequence: rows, hash }, brokenSegments }
}

function registerVerify(audit: Command, { client, output }: CliContext): void {
  audit
    .command('verify')
    .description('prove that no row was changed, removed or put in; exit 1 where one was')
    .option(
      '--head <sequence:hash>',
      'the head that an earlier verification printed: finds an end that was cut off',
    )
    .option('--file <export>', 'verify an export by itself, without the control plane')
    .addHelpText(
      'after',
      examples(['signalbox audit verify', 'signalbox audit verify --file audit.ndjson --head 812:5f0c…']),
    )
    .action(async ({ head, file }: { head?: string; file?: string }) => {
      const known = head === undefined ? undefined : parseHead(head)
      const reply =
        file === undefined ? await client().verifyAudit({ ...known }) : await verifyFile(file, known)
      output.document(reply)
      if (reply.broken !== null)
        throw new Failure(`Row ${reply.broken} is not as it was written: changed, removed or put in.`)
      if (reply.continues === false)
        throw new Failure(`Row ${known?.sequence} is not the one of the head that was kept.`)
      if (reply.brokenSegments.length > 0)
        throw new Failure(`Segments of records are not as they came: ${reply.brokenSegments.join(', ')}.`)
      output.line(`${reply.rows} rows are as they were written`)
      if (reply.head !== null) output.line(`head ${reply.head.sequence}:${reply.head.hash}`)
    })
}

export const verb: Verb = {
  name: 'audit',
  register(program, context) {
    const { client, output } = context
    const audit = program.command('audit').description('who changed what; proved by a chain of hashes')
    audit
      .command('list')
      .description('list changes, newest first')
      .option('--action <operation>', 'only of this operation, like setBudget')
      .option('--actor <name>', 'only by this one')
      .option('--limit <n>', 'how many', '50')
      .action(async ({ limit, ...filter }: Filter & { limit: string }) => {
        const reply = await client().listAudit({ ...filterOf(filter), limit: Number(limit) })
        output.document(reply)
        output.table(
          ['SEQUENCE', 'TIME', 'BY', 'ACTION', 'OBJECT'],
          reply.items.map(({ sequence, timeMs, actor, action, object }) => [
            ...[String(sequence), new Date(timeMs).toISOString(), actor, action, object],
          ]),
        )
      })
    audit
      .command('export')
      .description('print all rows, oldest first, one JSON document per line')
      .option('--action <operation>', 'only of this operation')
      .option('--actor <name>', 'only by this one')
      .addHelpText('after', examples(['signalbox audit export > audit.ndjson']))
      .action(async (filter: Filter) => {
        output.json = true
        for await (const row of allRows(client(), filterOf(filter))) output.document(row)
      })
    registerVerify(audit, context)
  },
}
