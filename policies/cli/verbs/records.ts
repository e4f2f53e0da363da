import { arms } from '@signalbox/sdk/contract'
import { Option } from 'commander'
import {
  parseMoment,
  registerErase,
  registerExport,
  registerRetention,
  registerUsage,
} from '../record-keeping.ts'
import { recordLine } from '../record-line.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  follow?: boolean
  limit: string
  team?: string
  target?: string
  effect?: 'allow' | 'deny' | 'error' | 'none'
  arm?: 'stable' | 'candidate'
  env?: string
  since?: string
  cursor?: string
}

export const verb: Verb = {
  name: 'records',
  register(program, context) {
    const records = program
      .command('records')
      .description('search the records of calls, or follow new ones')
      .option('--follow', 'print new records as they arrive, one per line')
      .option('--limit <n>', 'how many', '20')
      .option('--team <team>', 'of this team and all below')
      .option('--target <target>', 'answered by connection/model')
      .option('--env <environment>', 'of this environment')
      .option('--since <time>', 'not before: 7d, or a date')
      .option('--cursor <cursor>', 'go on where an earlier page ended')
      .addOption(
        new Option('--effect <effect>', 'how it was decided').choices(['allow', 'deny', 'error', 'none']),
      )
      .addOption(
        new Option('--arm <arm>', 'who decided, of calls that a rollout could have').choices([...arms]),
      )
      .addHelpText(
        'after',
        examples(['signalbox records --effect deny', 'signalbox records --follow --json']),
      )
      .action(async (options: Options) => {
        const { output } = context
        const filter = {
          ...(options.team === undefined ? {} : { team: options.team }),
          ...(options.target === undefined ? {} : { target: options.target }),
          ...(options.effect === undefined ? {} : { effect: options.effect }),
          ...(options.arm === undefined ? {} : { arm: options.arm }),
          ...(options.env === undefined ? {} : { environment: options.env }),
        }
        if (options.follow === true) {
          for await (const row of context.client().followRecords(filter)) {
            output.document(row)
            output.line(recordLine(row, output))
          }
          return
        }
        const reply = await context.client().listRecords({
          ...filter,
          limit: Number(options.limit),
          ...(options.since !== undefined && { sinceMs: parseMoment(options.since) }),
          ...(options.cursor !== undefined && { cursor: options.cursor }),
        })
        output.document(reply)
        for (const row of reply.items) output.line(recordLine(row, output))
        if (reply.items.length === 0)
          output.line('No records yet. Send a call to the gateway and look again.')
        if (reply.nextCursor !== null) output.note(`more: --cursor ${reply.nextCursor}`)
      })
    registerExport(records, context)
    registerErase(records, context)
    registerRetention(records, context)
    registerUsage(records, context)
  },
}
