import { backtestLines, backtestReport, createEngine, loadCatalogue } from '@signalbox/policies'
import { Option } from 'commander'
import {
  addBacktestOptions,
  type BacktestOptions,
  selectedRecords,
  thresholdsOf,
} from '../backtest-options.ts'
import {
  type DecidingVersion,
  decidingVersion,
  deployedVersion,
  versionOfFolder,
} from '../candidate-version.ts'
import { type CliContext, Failure } from '../context.ts'
import { parseSpan } from '../record-filter.ts'
import { runOverRecords } from '../record-source.ts'
import { examples, type Verb } from '../verb.ts'
import { runWhatIf } from '../what-if.ts'

interface Options extends BacktestOptions {
  readonly baseline?: string
  readonly from?: string
  readonly save?: string
  readonly whatIf?: string
  readonly by?: string
}
const recordedBaseline = 'recorded'

/** What the candidate is compared with: undefined for what decided each call. */
async function baselineOf(
  context: CliContext,
  { baseline, from }: Options,
  { environment, workspace }: { environment: string; workspace: string },
): Promise<DecidingVersion | undefined> {
  if (baseline === recordedBaseline || (baseline === undefined && from !== undefined)) return undefined
  const client = context.client()
  if (baseline === undefined) return await deployedVersion(client, environment, workspace)
  return decidingVersion(
    (await client.getBuild({ version: baseline })) as Parameters<typeof decidingVersion>[0],
  )
}

async function backtest(context: CliContext, folder: string, options: Options): Promise<void> {
  const { output, config } = context
  const candidate = await versionOfFolder(folder, output)
  const environment = options.env ?? config.environment
  const workspace = candidate.compiled.name
  const baseline = await baselineOf(context, options, { environment, workspace })
  const selection = selectedRecords(options.from === undefined ? { ...options, env: environment } : options)
  const tally = await runOverRecords(context, selection, {
    candidate,
    ...(baseline !== undefined && { baseline }),
  })
  const engine = await createEngine()
  engine.dispose()
  const report = backtestReport(tally, {
    ...{ candidate, engine: engine.digest, catalogue: loadCatalogue().digest },
    ...(baseline !== undefined && { baseline }),
    thresholds: thresholdsOf(options),
  })
  output.document(report)
  for (const line of backtestLines(report)) output.line(line)
  if (!report.replay.ok) {
    throw new Failure(
      'recorded calls are decided differently here: what follows from them is not to be trusted',
    )
  }
  if (!report.ok) throw new Failure('the change goes beyond its limits', 'threshold')
}

export const verb: Verb = {
  name: 'backtest',
  register(program, context) {
    addBacktestOptions(program.command('backtest'))
      .argument('[dir]', 'folder of the workspace')
      .description(
        'what the workspace would have done with recorded calls; or what another model would have cost',
      )
      .option('--env <environment>', 'calls of this environment, and its stable version to compare with')
      .addOption(
        new Option('--since <time>', 'how far back: 30m, 24h, 7d')
          .argParser(parseSpan)
          .default(7 * 86_400_000, '7d'),
      )
      .option('--baseline <version>', 'compare with this version, or with what decided each call: recorded')
      .option('--save <file>', 'also keep the records and what they were decided with, for --from')
      .option('--from <file>', 'records of a saved file, without a control plane')
      .option('--what-if <model>', 'no policy: what all calls would have cost with this model')
      .option('--by <group>', 'no policy: what calls cost by a metadata member, target, model, key or rule')
      .addHelpText(
        'after',
        examples([
          'signalbox backtest --since 7d --env production',
          'signalbox backtest acme --max-changed 5% --max-cost +10% --json',
          'signalbox backtest --what-if openai/gpt-5.4-mini --since 30d --by feature',
        ]),
      )
      .action(async (dir: string | undefined, options: Options) => {
        if (options.whatIf === undefined && options.by === undefined) {
          return await backtest(context, dir ?? '.', options)
        }
        const selection = selectedRecords(options)
        await runWhatIf(context, { selection, folder: dir, model: options.whatIf, by: options.by })
      })
  },
}
