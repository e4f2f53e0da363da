import {
  type BacktestReport,
  backtestReport,
  buildVersion,
  createEngine,
  loadCatalogue,
  loadWorkspaceFolder,
  type PlanReport,
  type PlanSide,
  planLines,
  planMarkdown,
  planReport,
} from '@signalbox/policies'
import { Option } from 'commander'
import {
  addBacktestOptions,
  type BacktestOptions,
  selectedRecords,
  thresholdsOf,
} from '../backtest-options.ts'
import { type CliContext, Failure } from '../context.ts'
import { type DeployedSide, deployedSide, sideOf } from '../deployed-side.ts'
import type { Output } from '../output.ts'
import { reportProblems } from '../problems.ts'
import { parseSpan } from '../record-filter.ts'
import { runOverRecords } from '../record-source.ts'
import { wholeNumber } from '../test-options.ts'
import { examples, type Verb } from '../verb.ts'

interface Options extends BacktestOptions {
  readonly impact: boolean
  readonly allowWeakened?: boolean
  readonly format: 'text' | 'json' | 'markdown'
  readonly inputTokens?: number
  readonly json?: boolean
}
/** Enough to see what changes; `backtest` looks at all. */
const recordsUsual = 50_000

async function candidateSide(folder: string, output: Output): Promise<PlanSide> {
  const files = await loadWorkspaceFolder(folder)
  const catalogue = loadCatalogue()
  const built = await buildVersion(files, { catalogue, typeCheck: false })
  if (built.version === null) reportProblems(built.problems, output)
  return sideOf(built, { files, catalogue, what: folder })
}

async function impactOf(
  context: CliContext,
  { after, deployed }: { after: PlanSide; deployed: DeployedSide | null },
  options: Options & { env: string },
): Promise<BacktestReport | { none: string }> {
  if (!options.impact) return { none: 'not asked for (--no-impact)' }
  const { digest, compiled, script } = after.version
  const nodePath = compiled.node.split('/').filter((name) => name !== '')
  const candidate = { digest, compiled, script, nodePath }
  const tally = await runOverRecords(context, selectedRecords({ limit: recordsUsual, ...options }), {
    candidate,
    ...(deployed !== null && { baseline: deployed.version }),
  })
  if (tally.self.records === 0) return { none: 'no records in this time' }
  const engine = await createEngine()
  engine.dispose()
  return backtestReport(tally, {
    ...{ candidate, engine: engine.digest, catalogue: loadCatalogue().digest },
    ...(deployed !== null && { baseline: deployed.version }),
    thresholds: thresholdsOf(options),
  })
}

function print(report: PlanReport, output: Output, { format, json }: Options): void {
  if (json === true || format === 'json') {
    output.json = true
    output.document(report)
  } else if (format === 'markdown') output.line(planMarkdown(report).trimEnd())
  else for (const line of planLines(report)) output.line(line)
}

function failWhereWrong({ weakened, impact }: PlanReport, { allowWeakened }: Options): void {
  if (impact !== null && !impact.replay.ok) {
    throw new Failure(
      'recorded calls are decided differently here: the impact is not to be trusted',
      'different',
    )
  }
  if (impact !== null && !impact.ok) throw new Failure('the change goes beyond its limits', 'threshold')
  if (weakened.length === 0 || allowWeakened === true) return
  const names = [...new Set(weakened.map(({ what }) => what))].join(', ')
  throw new Failure(`constraints are weakened: ${names}; --allow-weakened if that is meant`, 'weakened')
}

/** Says that something else runs than Git has: what is planned here would undo it. */
async function noteDrift(
  { client, output }: CliContext,
  environment: string,
  workspace: string,
): Promise<void> {
  const { environments } = await client().getStatus({ environment })
  for (const { drift } of environments) {
    for (const each of drift) {
      // What is planned replaces the stable version.
      if (each.workspace !== workspace || each.role !== 'stable') continue
      const text = `v${each.version} runs there and was made by ${each.by} outside Git: \`signalbox pull\` first, or this undoes it`
      output.note(`${output.style('yellow', 'drift')} ${text}`)
    }
  }
}

async function plan(context: CliContext, folder: string, given: Options): Promise<void> {
  const environment = given.env ?? context.config.environment
  const options = { ...given, env: environment }
  const after = await candidateSide(folder, context.output)
  const deployed = await deployedSide(context.client(), environment, after.version.compiled.name)
  await noteDrift(context, environment, after.version.compiled.name)
  const impact = await impactOf(context, { after, deployed }, options)
  const report = planReport({
    ...{ environment, after, impact },
    ...(options.inputTokens !== undefined && { inputTokens: options.inputTokens }),
    deployed:
      deployed === null
        ? null
        : { version: deployed.number, digest: deployed.version.digest, side: deployed.side },
  })
  print(report, context.output, options)
  failWhereWrong(report, options)
}

export const verb: Verb = {
  name: 'plan',
  register(program, context) {
    addBacktestOptions(program.command('plan'))
      .argument('[dir]', 'folder of the workspace')
      .description(
        'what would change against what is deployed: meaning, weakened constraints, cost, impact on recorded calls',
      )
      .option('--env <environment>', 'against what is deployed there')
      .addOption(
        new Option('--since <time>', 'recorded calls that the impact is of: 30m, 24h, 7d')
          .argParser(parseSpan)
          .default(7 * 86_400_000, '7d'),
      )
      .option('--no-impact', 'leave recorded calls aside')
      .option('--allow-weakened', 'succeed although constraints are weakened')
      .option('--input-tokens <count>', 'size of the call whose cost is bounded', wholeNumber(0, 100_000_000))
      .addOption(
        new Option('--format <format>', 'how to report')
          .choices(['text', 'json', 'markdown'])
          .default('text'),
      )
      .addHelpText(
        'after',
        examples([
          'signalbox plan --env production',
          'signalbox plan acme --env staging --format markdown > plan.md',
          'signalbox plan --max-changed 5% --max-denied 0% --json',
        ]),
      )
      .action((dir: string | undefined, options: Options) => plan(context, dir ?? '.', options))
  },
}
