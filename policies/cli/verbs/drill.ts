import { drillRoute, loadWorkspaceFolder } from '@signalbox/policies'
import { drillFaults, type ScoreCard } from '@signalbox/sdk/contract'
import { parse } from 'yaml'
import { type CliContext, Failure } from '../context.ts'
import { faultText, printCards, printRoutes, readGolden } from '../drill-report.ts'
import { localAddresses } from '../local-addresses.ts'
import { examples, type Verb } from '../verb.ts'
import { faultsOf, nanoUsdOf } from './drills.ts'

interface Options {
  readonly key?: string
  readonly gateway?: string
  readonly model?: string
  readonly fault?: string
  readonly golden?: string
  readonly maxCost?: string
  readonly keep?: boolean
  readonly report?: boolean
  readonly env?: string
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

/** Shows how the routes stand; fails where one has not been proven for too long. */
async function report({ client, output }: CliContext, env: string | undefined): Promise<void> {
  const reply = await client().listDrills(env === undefined ? {} : { environment: env })
  output.document(reply)
  printRoutes(reply.items, output)
  printCards(
    reply.items.flatMap(({ card }) => card ?? []),
    output,
  )
  const unproven = reply.items.filter((each) => each.unproven).map(({ model }) => model)
  if (unproven.length > 0)
    throw new Failure(`not proven for too long: ${unproven.join(', ')}`, 'drill_failed')
}

async function fire(dir: string | undefined, options: Options, context: CliContext): Promise<ScoreCard[]> {
  const { config, output } = context
  const gateway = (options.gateway ?? localAddresses(config).gatewayUrl).replace(/\/+$/, '')
  if (options.key === undefined) throw new Failure('Drills need the key of a gateway: --key sb_…', 'usage')
  const plan = {
    faults: options.fault === undefined ? drillFaults : faultsOf(options.fault),
    golden: options.golden === undefined ? undefined : await readGolden(options.golden),
    costNanoUsdMax: options.maxCost === undefined ? undefined : BigInt(nanoUsdOf(options.maxCost)),
  }
  const cards: ScoreCard[] = []
  for (const route of await wantedRoutes(dir, options, context)) {
    const target = { gateway, key: options.key }
    cards.push(
      await drillRoute(target, { ...route, ...plan }, (result) => {
        output.progress(`${route.model}: ${faultText(result)} ${result.outcome}`)
      }),
    )
  }
  output.progress('')
  return cards
}

export const verb: Verb = {
  name: 'drill',
  register(program, context) {
    program
      .command('drill')
      .argument('[dir]', 'workspace folder whose aliases are drilled')
      .description('fires faults on fallback paths with synthetic calls, and reports which held')
      .option('--key <key>', 'API key of a gateway; its budgets pay for the answers')
      .option('--gateway <url>', 'address of the gateway; of a local start if left out')
      .option('--model <models>', 'only these models, separated by commas')
      .option('--fault <faults>', `only these: ${drillFaults.join(', ')}`)
      .option('--golden <file>', 'prompts with what their answers must be: YAML or JSON')
      .option('--max-cost <usd>', 'for each route, no call is begun once this is spent')
      .option('--keep', 'keep the score cards in the control plane, as proof')
      .option('--report', 'fire nothing: show the score cards that are kept')
      .option('--env <environment>', 'environment that is kept or shown')
      .addHelpText(
        'after',
        examples([
          'signalbox drill acme --key sb_d…',
          'signalbox drill --key sb_d… --model smart --fault 529,stall',
        ]),
      )
      .action(async (dir: string | undefined, options: Options) => {
        if (options.report === true) return await report(context, options.env)
        const { output } = context
        const cards = await fire(dir, options, context)
        output.document({ routes: cards })
        printCards(cards, output)
        if (options.keep === true) {
          const environment = options.env ?? context.config.environment
          await context.client().reportDrills({ environment, cards })
        }
        const lost = cards.reduce((sum, { held, of }) => sum + of - held, 0)
        if (lost > 0)
          throw new Failure(`${lost} ${lost === 1 ? 'drill' : 'drills'} did not hold`, 'drill_failed')
      })
  },
}
