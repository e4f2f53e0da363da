import type { Command } from 'commander'
import { formatAmount, parseAmount } from './amounts.ts'
import { type CliContext, Failure } from './context.ts'
import { examples } from './verb.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** When `text` is: a length from now, `90m`, `36h`, `7d`, or a time. @throws Failure. */
export function parseUntil(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (count !== undefined) return nowMs + Number(count) * unitMs[unit as keyof typeof unitMs]
  const timeMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs))
    throw new Failure(`--until is a length or a time, like 36h or 2026-12-24T18:00Z; not "${text}".`)
  return timeMs
}

function registerOverride(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('override <id>')
    .description('put another limit in place of a budget’s own until a time')
    .option('--limit <amount>', 'dollars or tokens, as the budget counts')
    .option('--until <time>', 'a length, like 36h, or a time')
    .option('--reason <text>', 'why; stands in the audit log')
    .option('--end', 'end the override that holds now')
    .addHelpText(
      'after',
      examples([
        'signalbox budgets override BUDGET_ID --limit 800.00 --until 36h --reason "launch day"',
        'signalbox budgets override BUDGET_ID --end',
      ]),
    )
    .action(async (id: string, given: { limit?: string; until?: string; reason?: string; end?: boolean }) => {
      if (given.end === true) {
        const budget = await client().endBudgetOverride({ id })
        output.document(budget)
        output.line(`its own limit holds again: ${formatAmount(budget.limit, budget.unit)}`)
        return
      }
      const { limit, until, reason } = given
      if (limit === undefined || until === undefined || reason === undefined)
        throw new Failure('An override needs --limit, --until and --reason; --end ends one.')
      const { unit } = await client().getBudget({ id })
      const untilMs = parseUntil(until, Date.now())
      const budget = await client().overrideBudget({ id, limit: parseAmount(limit, unit), untilMs, reason })
      output.document(budget)
      output.line(`${formatAmount(parseAmount(limit, unit), unit)} until ${new Date(untilMs).toISOString()}`)
    })
}

function registerVoid(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('void <call>')
    .description('take the cost of an attempt back from all its budgets; the settlement stays, with a note')
    .requiredOption('--lease <id>', 'the lease it was booked on (budgets show ID --json names it)')
    .requiredOption('--note <text>', 'why; stands in the audit log')
    .option('--attempt <number>', 'which attempt of the call', '0')
    .action(async (callId: string, options: { lease: string; note: string; attempt: string }) => {
      const { lease: leaseId, note, attempt } = options
      const reply = await client().voidSettlement({ callId, attempt: Number(attempt), leaseId, note })
      output.document(reply)
      output.line(`taken back from ${reply.budgets.length} budgets`)
    })
}

function registerOverrun(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('settle-overrun <id>')
    .description(
      'take what was billed beyond holds as settled, as far as the limit has room: opens the window again',
    )
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async (id: string, { reason }: { reason: string }) => {
      const budget = await client().settleOverrun({ id, reason })
      output.document(budget)
      output.line(`overrun left: ${formatAmount(budget.current?.overrun ?? '0', budget.unit)}`)
    })
}

function registerReconcile(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('reconcile')
    .description('add all transfers and leases up again; exit 1 where a balance differs')
    .action(async () => {
      const reply = await client().reconcileBudgets()
      output.document(reply)
      output.line(
        `${reply.windows} windows, ${reply.transfers} transfers, ${reply.differences.length} differences`,
      )
      output.table(
        ['BUDGET', 'WINDOW FROM', 'KEPT', 'BY TRANSFERS', 'BY LEASES'],
        reply.differences.map(({ budgetId, startMs, kept, transfers, leases }) => [
          ...[budgetId, new Date(startMs).toISOString()],
          ...[kept, transfers, leases].map((sums) => Object.values(sums).join('/')),
        ]),
      )
      if (reply.differences.length > 0) throw new Failure('The ledger does not add up.')
    })
}

function registerAlerts(budgets: Command, { client, output }: CliContext): void {
  budgets
    .command('alerts')
    .description('list alerts of budgets, newest first')
    .option('--limit <n>', 'how many', '50')
    .action(async ({ limit }: { limit: string }) => {
      const reply = await client().listBudgetAlerts({ limit: Number(limit) })
      output.document(reply)
      output.table(
        ['TIME', 'OF', 'WINDOW', 'KIND', 'SPENT', 'LIMIT', 'WEBHOOKS'],
        reply.items.map((each) => [
          ...[
            new Date(each.timeMs).toISOString(),
            each.path === '' ? '(organisation)' : each.path,
            each.window,
          ],
          each.kind === 'threshold' ? `${each.thresholdPpm / 10_000} %` : each.kind,
          ...[each.projected ?? each.spent, each.limit].map((amount) => formatAmount(amount, each.unit)),
          each.deliveries
            .map(({ deliveredMs, error }) => (deliveredMs === null ? (error ?? 'waits') : 'taken'))
            .join(', '),
        ]),
      )
      if (reply.items.length === 0) output.line('No alerts yet.')
    })
}

function registerRefused(budgets: Command, { client, output }: CliContext): void {
  const refused = budgets
    .command('refused')
    .description('reports of gateways that the ledger refused for good: list, retry or void them')
  refused
    .command('list', { isDefault: true })
    .description('list them, open ones first')
    .action(async () => {
      const reply = await client().listRefusedReports()
      output.document(reply)
      output.table(
        ['ID', 'TIME', 'STATE', 'GATEWAY', 'TRIES', 'ERROR'],
        reply.items.map(({ id, timeMs, state, gatewayId, tries, error }) => [
          ...[id, new Date(timeMs).toISOString(), state, gatewayId, String(tries), error],
        ]),
      )
      if (reply.items.length === 0) output.line('None.')
    })
  refused
    .command('retry <id>')
    .description('have the ledger take it after all, on your word: its leases are what it says')
    .requiredOption('--note <text>', 'why; stands in the audit log')
    .action(async (id: string, { note }: { note: string }) => {
      output.document(await client().retryRefusedReport({ id, note }))
      output.line('the ledger has taken it')
    })
  refused
    .command('void <id>')
    .description('put it out of the way; what its lease holds stays stranded until you release it')
    .requiredOption('--note <text>', 'why; stands in the audit log')
    .action(async (id: string, { note }: { note: string }) => {
      output.document(await client().voidRefusedReport({ id, note }))
      output.line('it is void')
    })
}

/** What an operator does with budgets beyond setting them. */
export function registerOperatorVerbs(budgets: Command, context: CliContext): void {
  registerOverride(budgets, context)
  registerVoid(budgets, context)
  registerOverrun(budgets, context)
  registerReconcile(budgets, context)
  registerAlerts(budgets, context)
  registerRefused(budgets, context)
}
