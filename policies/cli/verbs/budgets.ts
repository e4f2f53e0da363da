import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import { formatAmount, parseAmount, type Unit } from '../amounts.ts'
import { registerOperatorVerbs } from '../budget-operator.ts'
import { type CliContext, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

type Budget = Awaited<ReturnType<Client['getBudget']>>
type Wanted = Parameters<Client['setBudget']>[0]
interface Owner {
  team?: string
  key?: string
}
interface SetOptions extends Owner {
  window: string
  limit: string
  mode?: string
  unit?: string
  timeZone?: string
  fiscalStart?: string
  alerts?: string
  revision?: string
  preview?: boolean
}
const windows = ['day', 'week', 'month', 'quarter', 'year', 'total'] as const
const modes = ['hard', 'soft', 'shadow'] as const
const units = ['usd', 'tokens'] as const

/** @throws Failure that lists what there is. */
function oneOf<const T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((each) => each === text)
  if (found === undefined) throw new Failure(`--${option} is ${known.join(', ')}; not "${text}".`)
  return found
}

const placeOf = ({ path }: Pick<Budget, 'path'>): string => (path === '' ? '(organisation)' : path)

function row(budget: Budget): string[] {
  const { current, unit, override } = budget
  const of = (name: 'settled' | 'leased' | 'stranded' | 'overrun'): string =>
    current === null ? '-' : formatAmount(current[name], unit)
  const limit = formatAmount(override?.limit ?? budget.limit, unit)
  const spending = [of('settled'), of('leased'), of('stranded'), of('overrun')]
  return [budget.id, placeOf(budget), budget.window, budget.mode, limit, ...spending]
}
const headings = ['ID', 'OF', 'WINDOW', 'MODE', 'LIMIT', 'SETTLED', 'LEASED', 'STRANDED', 'OVERRUN']

function registerList(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('list')
    .description('list budgets with their running windows')
    .option('--team <team>', 'only of this team')
    .option('--key <id>', 'only of this key')
    .action(async ({ team, key }: Owner) => {
      const reply = await client().listBudgets({
        ...(team === undefined ? {} : { team }),
        ...(key === undefined ? {} : { key }),
      })
      output.document(reply)
      output.table(headings, reply.items.map(row))
    })
}

/** Percents as typed, `50,80,100`, in ppm. @throws Failure. */
function parseAlerts(text: string): number[] {
  return text.split(',').map((each) => {
    const percent = Number(each.trim())
    if (!(percent > 0 && percent <= 1000))
      throw new Failure(`--alerts is a list of percents, like 50,80,100; not "${text}".`)
    return Math.round(percent * 10_000)
  })
}

/** @throws Failure for an option that cannot be. */
function wantedOf(options: SetOptions): Wanted {
  const unit: Unit = oneOf('unit', options.unit ?? 'usd', units)
  const { team, key, timeZone, fiscalStart, alerts, revision } = options
  return {
    ...(team === undefined ? {} : { team }),
    ...(key === undefined ? {} : { key }),
    window: oneOf('window', options.window, windows),
    limit: parseAmount(options.limit, unit),
    unit,
    ...(options.mode === undefined ? {} : { mode: oneOf('mode', options.mode, modes) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(fiscalStart === undefined ? {} : { fiscalStart }),
    ...(alerts === undefined ? {} : { alertsPpm: parseAlerts(alerts) }),
    ...(revision === undefined ? {} : { revision: Number(revision) }),
  }
}

async function previewSet({ client, output }: CliContext, wanted: Wanted): Promise<void> {
  const preview = await client().previewBudget(wanted)
  const unit = wanted.unit ?? 'usd'
  output.document(preview)
  const { before, after, available, closesNow } = preview
  const was = before === null ? 'none' : formatAmount(before.limit, unit)
  output.line(
    `limit ${was} → ${formatAmount(after.limit, unit)}, settled ${formatAmount(after.settled, unit)}`,
  )
  output.line(
    closesNow ? 'nothing is left in the running window' : `available ${formatAmount(available, unit)}`,
  )
  if (closesNow && preview.spenders.length > 0) {
    output.line('refused from now on:')
    for (const { name, keyId, amount, attempts } of preview.spenders)
      output.line(
        `  ${name ?? keyId ?? 'not known yet'}: ${formatAmount(amount, unit)} in ${attempts} attempts`,
      )
  }
  for (const warning of preview.warnings) output.note(warning)
}

function registerSet(budgets: Command, context: CliContext): void {
  const { client, output } = context
  budgets
    .command('set')
    .description('make or change the budget of a team or a key for a window')
    .option('--team <team>', 'name, path or id of a team; the name of the organisation means all of it')
    .option('--key <id>', 'id of a key')
    .requiredOption('--window <window>', windows.join(', '))
    .requiredOption('--limit <amount>', 'dollars, or tokens with --unit tokens')
    .option('--mode <mode>', modes.join(', '))
    .option('--unit <unit>', units.join(', '))
    .option('--time-zone <name>', 'in which days begin; UTC if never set')
    .option('--fiscal-start <MM-DD>', 'from which quarters and years count')
    .option('--alerts <percents>', 'shares of the limit at which somebody is told: 50,80,100')
    .option('--revision <number>', 'fail where somebody changed it since')
    .option('--preview', 'say what it would do, and change nothing')
    .addHelpText(
      'after',
      examples([
        'signalbox budgets set --team search --window month --limit 500.00 --mode hard',
        'signalbox budgets set --key KEY_ID --window day --limit 2000000 --unit tokens',
      ]),
    )
    .action(async (options: SetOptions) => {
      const wanted = wantedOf(options)
      if (options.preview === true) return previewSet(context, wanted)
      const budget = await client().setBudget(wanted)
      output.document(budget)
      output.line(
        `${placeOf(budget)}: ${formatAmount(budget.limit, budget.unit)} per ${budget.window}, ${budget.mode}`,
      )
      if (budget.pending !== undefined) output.note(`waiting for ${budget.pending.join(', ')}`)
    })
}

function registerShow(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('show <id>')
    .description('say where the money of a window went')
    .option('--limit <calls>', 'so many of the dearest calls', '10')
    .action(async (id: string, { limit }: { limit: string }) => {
      const reply = await client().explainBudget({ id, limit: Number(limit) })
      output.document(reply)
      const { budget, byKey, byTarget, calls, leases } = reply
      const show = (amount: string): string => formatAmount(amount, budget.unit)
      output.table(headings, [row(budget)])
      output.table(
        ['KEY', 'SPENT', 'ATTEMPTS'],
        byKey.map((each) => [each.name ?? each.keyId ?? '?', show(each.amount), String(each.attempts)]),
      )
      output.table(
        ['TARGET', 'SPENT', 'ATTEMPTS'],
        byTarget.map((each) => [each.target ?? '?', show(each.amount), String(each.attempts)]),
      )
      output.table(
        ['CALL', 'SPENT', 'EVIDENCE', 'TARGET'],
        calls.map((each) => [each.callId, show(each.actual), each.evidence, each.target ?? '?']),
      )
      output.table(
        ['LEASE', 'STATE', 'AMOUNT', 'SETTLED', 'GATEWAY'],
        leases.map((each) => [
          each.leaseId,
          each.state,
          show(each.amount),
          show(each.settled),
          each.gatewayId,
        ]),
      )
    })
}

function registerDelete(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('delete <id>')
    .description('delete a budget; what was spent stays in the ledger')
    .option('--revision <number>', 'fail where somebody changed it since')
    .action(async (id: string, { revision }: { revision?: string }) => {
      const reply = await client().deleteBudget({
        id,
        ...(revision === undefined ? {} : { revision: Number(revision) }),
      })
      output.document(reply)
      output.line(`${id} is deleted`)
      if (reply.pending !== undefined) output.note(`waiting for ${reply.pending.join(', ')}`)
    })
}

function registerRelease(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('release <id>')
    .description(
      'give stranded money of a budget free again, where its gateways are known to spend no more of it',
    )
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .option('--lease <id...>', 'only these leases')
    .action(async (id: string, { reason, lease }: { reason: string; lease?: string[] }) => {
      const reply = await client().releaseStranded({
        id,
        reason,
        ...(lease === undefined ? {} : { leases: lease }),
      })
      output.document(reply)
      const released = formatAmount(reply.released, reply.budget.unit)
      output.line(`${released} of ${reply.leases.length} leases is free again`)
    })
}

export const verb: Verb = {
  name: 'budgets',
  register(program, context) {
    const budgets = program.command('budgets').description('what teams and keys may spend')
    registerList(budgets, context)
    registerSet(budgets, context)
    registerShow(budgets, context)
    registerDelete(budgets, context)
    registerRelease(budgets, context)
    registerOperatorVerbs(budgets, context)
  },
}
