import { loadWorkspaceFolder } from '@signalbox/policies'
import { type DrillFault, drillFaults } from '@signalbox/sdk/contract'
import { parse } from 'yaml'
import { type CliContext, Failure } from '../context.ts'
import { type DrillResult, drillRoute, type ScoreCard } from '../drill-calls.ts'
import type { Output } from '../output.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  readonly key?: string
  readonly gateway?: string
  readonly model?: string
  readonly fault?: string
}
interface Route {
  readonly model: string
  readonly targets: number
}

/** Aliases of a workspace with something to fall back to. */
async function routesOf(dir: string): Promise<Route[]> {
  const text = (await loadWorkspaceFolder(dir)).get('signalbox.yaml') ?? ''
  const { models = {} } = (parse(text) ?? {}) as { models?: Record<string, unknown> }
  return Object.entries(models).flatMap(([model, targets]) =>
    Array.isArray(targets) && targets.length > 1 ? [{ model, targets: targets.length }] : [],
  )
}

async function wantedRoutes(
  dir: string | undefined,
  { model }: Options,
  context: CliContext,
): Promise<Route[]> {
  const folder = dir ?? context.config.workspace
  const known = folder === undefined ? [] : await routesOf(folder)
  if (model !== undefined) {
    return model
      .split(',')
      .map((name) => known.find((route) => route.model === name) ?? { model: name, targets: 2 })
  }
  if (known.length > 0) return known
  const where =
    folder === undefined ? 'Name a workspace folder' : `No alias of ${folder} has more than one target`
  throw new Failure(`${where}, or models with --model a,b.`)
}

/** @throws Failure that lists what there is. */
function wantedFaults({ fault }: Options): readonly DrillFault[] {
  if (fault === undefined) return drillFaults
  return fault.split(',').map((name) => {
    const found = drillFaults.find((each): each is DrillFault => each === name)
    if (found === undefined) throw new Failure(`--fault is of ${drillFaults.join(', ')}; not "${name}".`)
    return found
  })
}

const faultText = ({ fault, targets }: DrillResult): string =>
  targets === 1 ? fault : `${fault}, first ${targets} targets`

/** A score card per route: what held, and each thing that did not with the record that explains it. */
function print(cards: readonly ScoreCard[], output: Output): void {
  for (const { model, held, of, results } of cards) {
    const colour = held === of ? 'green' : 'red'
    output.line(`${output.style('bold', model)}  ${output.style(colour, `${held} of ${of} held`)}`)
    output.table(
      ['  FAULT', 'STREAM', 'OUTCOME', 'ANSWERED BY', 'STATUS', 'MS', 'RECORD'],
      results.map((result) => [
        `  ${faultText(result)}`,
        result.stream ? 'yes' : 'no',
        result.outcome,
        result.target ?? '-',
        String(result.status),
        String(result.ms),
        result.outcome === 'held' ? '' : (result.decision ?? '-'),
      ]),
    )
  }
}

export const verb: Verb = {
  name: 'drill',
  register(program, context) {
    program
      .command('drill')
      .argument('[dir]', 'workspace folder whose aliases are drilled')
      .description('fires faults on fallback paths with synthetic calls, and reports which held')
      .requiredOption('--key <key>', 'API key of a gateway; its budgets pay for the answers')
      .option('--gateway <url>', 'address of the gateway; of a local start if left out')
      .option('--model <models>', 'only these models, separated by commas')
      .option('--fault <faults>', `only these: ${drillFaults.join(', ')}`)
      .addHelpText(
        'after',
        examples([
          'signalbox drill acme --key sb_d…',
          'signalbox drill --key sb_d… --model smart --fault 529,stall',
        ]),
      )
      .action(async (dir: string | undefined, options: Options) => {
        const { config, output } = context
        const gateway = (options.gateway ?? `http://127.0.0.1:${config.gatewayPort}`).replace(/\/+$/, '')
        const faults = wantedFaults(options)
        const cards: ScoreCard[] = []
        for (const route of await wantedRoutes(dir, options, context)) {
          const target = { gateway, key: options.key ?? '' }
          cards.push(
            await drillRoute(target, { ...route, faults }, (result) => {
              output.progress(`${route.model}: ${faultText(result)} ${result.outcome}`)
            }),
          )
        }
        output.progress('')
        output.document({ routes: cards })
        print(cards, output)
        const lost = cards.reduce((sum, { held, of }) => sum + of - held, 0)
        if (lost > 0)
          throw new Failure(`${lost} ${lost === 1 ? 'drill' : 'drills'} did not hold`, 'drill_failed')
      })
  },
}
