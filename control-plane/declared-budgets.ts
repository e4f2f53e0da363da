import type { BudgetDeclaration } from '@signalbox/sdk/contract'
import type { Transaction } from './db/connect.ts'
import {
  type BudgetChange,
  type BudgetTools,
  planBudget,
  type WantedBudget,
  writeBudget,
} from './ledger/set-budget.ts'
import { openBook } from './stores/ledger-book.ts'

const windowOf = {
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  quarterly: 'quarter',
  yearly: 'year',
  total: 'total',
} as const

/** `500 USD` in nano-dollars, `2000000 tokens` as they are. The schema has seen to the form. */
function readAmount(text: string): { limit: string; unit: 'usd' | 'tokens' } {
  const [amount = '', unit] = text.split(' ')
  if (unit === 'tokens') return { limit: String(BigInt(amount)), unit }
  const [whole = '', fraction = ''] = amount.split('.')
  return { limit: String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))), unit: 'usd' }
}

/** What a declaration says of each window that it names; what it leaves out stays as it is. */
function wantedBudgets(declared: BudgetDeclaration): Omit<WantedBudget, 'team'>[] {
  const { mode, alerts, timeZone, fiscalStart } = declared
  const rest = {
    ...(mode === undefined ? {} : { mode }),
    ...(alerts === undefined ? {} : { alertsPpm: alerts.map((percent) => percent * 10_000) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(fiscalStart === undefined ? {} : { fiscalStart }),
  }
  return Object.entries(windowOf).flatMap(([name, window]) => {
    const amount = declared[name as keyof typeof windowOf]
    return amount === undefined ? [] : [{ window, ...readAmount(amount), ...rest }]
  })
}

export interface TeamBudgets {
  readonly nodeId: string
  readonly declared: BudgetDeclaration
}

/**
 * Makes or updates the budgets that `signalbox.yaml` declares for teams. Gives path, window and unit of those that
 * changed.
 * @throws Refusal `invalid_request` for a time zone that nobody knows.
 */
export async function applyDeclaredBudgets(
  tx: Transaction,
  tools: BudgetTools,
  { organisationId, teams }: { readonly organisationId: string; readonly teams: readonly TeamBudgets[] },
): Promise<string[]> {
  const changes: BudgetChange[] = []
  for (const { nodeId, declared } of teams) {
    for (const wish of wantedBudgets(declared)) {
      const wanted = { ...wish, team: nodeId }
      const change = await planBudget(tx, tools, { organisationId, wanted, managedBy: 'workspace' })
      if (change.before?.revision !== change.after.revision) changes.push(change)
    }
  }
  // All locks first, in the order in which everybody takes them.
  const budgetIds = changes.flatMap(({ before }) => before?.id ?? [])
  await openBook(tx, { organisationId, budgetIds, clock: tools.clock })
  for (const change of changes) await writeBudget(tx, tools, change)
  return changes.map(({ after }) => `${after.path} ${after.window} ${after.unit}`)
}
