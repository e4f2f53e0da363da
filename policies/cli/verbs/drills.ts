import { type DrillFault, drillFaults } from '@signalbox/sdk/contract'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { printRoutes, readGolden } from '../drill-report.ts'
import { parseDuration } from '../duration.ts'
import { examples, type Verb } from '../verb.ts'

interface SetOptions {
  readonly every?: string
  readonly env?: string
  readonly key?: string
  readonly targets?: string
  readonly fault?: string
  readonly golden?: string
  readonly maxCost?: string
  readonly alertAfter?: string
}

/** Nano-dollars of `0.05`. @throws Failure. */
export function nanoUsdOf(text: string): string {
  const [, whole = '', fraction = ''] = /^(\d{1,6})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  if (whole === '') throw new Failure(`--max-cost is dollars, like 0.05; not "${text}".`)
  return String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')))
}

/** @throws Failure that lists what there is. */
export function faultsOf(text: string): DrillFault[] {
  return text.split(',').map((name) => {
    const found = drillFaults.find((each): each is DrillFault => each === name)
    if (found === undefined) throw new Failure(`--fault is of ${drillFaults.join(', ')}; not "${name}".`)
    return found
  })
}

function registerSet(drills: Command, { client, output }: CliContext): void {
  drills
    .command('set')
    .argument('<model>', 'alias or target')
    .description('drill a route now and then, through a gateway of the environment; the first time at once')
    .option('--every <time>', 'how often: 24h; needed the first time, but where a workspace declares it')
    .option('--env <environment>', 'environment')
    .option('--key <key>', 'API key whose budgets pay; needed the first time, kept encrypted')
    .option('--targets <count>', 'how many targets the route has; 2')
    .option('--fault <faults>', `only these: ${drillFaults.join(', ')}`)
    .option('--golden <file>', 'prompts with what their answers must be: YAML or JSON')
    .option('--max-cost <usd>', 'no call of a run is begun once this is spent; 0.10')
    .option('--alert-after <time>', 'alert where no run has held wholly for so long; 7d')
    .addHelpText(
      'after',
      examples([
        'signalbox drills set smart --every 24h --key sb_p… --golden golden.yaml',
        'signalbox drills set smart --key sb_p…',
      ]),
    )
    .action(async (model: string, options: SetOptions) => {
      const { every, env, key, targets, fault, golden, maxCost, alertAfter } = options
      const schedule = await client().setDrillSchedule({
        model,
        ...(every !== undefined && { everyMs: parseDuration(every) }),
        ...(env !== undefined && { environment: env }),
        ...(key !== undefined && { key }),
        ...(targets !== undefined && { targets: Number(targets) }),
        ...(fault !== undefined && { faults: faultsOf(fault) }),
        ...(golden !== undefined && { golden: await readGolden(golden) }),
        ...(maxCost !== undefined && { costNanoUsdMax: nanoUsdOf(maxCost) }),
        ...(alertAfter !== undefined && { unprovenMs: parseDuration(alertAfter) }),
      })
      output.document(schedule)
      output.line(`${schedule.model} is drilled in ${schedule.environment} from now on`)
    })
}

export const verb: Verb = {
  name: 'drills',
  register(program, context) {
    const { client, output } = context
    const drills = program.command('drills').description('routes that are drilled, and how they stand')
    drills
      .command('list')
      .description('routes with their last run, and since when none has held')
      .option('--env <environment>', 'only of this environment')
      .action(async ({ env }: { env?: string }) => {
        const reply = await client().listDrills(env === undefined ? {} : { environment: env })
        output.document(reply)
        printRoutes(reply.items, output)
      })
    registerSet(drills, context)
    drills
      .command('delete')
      .argument('<id>', 'of the schedule')
      .description('drill a route no more by itself')
      .action(async (id: string) => {
        const reply = await client().deleteDrillSchedule({ id })
        output.document(reply)
        output.line(`deleted ${reply.id}`)
      })
  },
}
