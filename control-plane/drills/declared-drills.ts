import { type CompiledWorkspace, type DrillPlan, drillPlanDefaults } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import {
  deleteSchedule,
  findSchedule,
  listSchedules,
  routeName,
  type ScheduleRow,
  saveSchedule,
} from '../stores/drills.ts'

/** What a schedule's row takes from its plan. */
export function planColumns(plan: DrillPlan) {
  return { ...plan, costNanoUsdMax: BigInt(plan.costNanoUsdMax) }
}

/** The plan of a route with what holds where it says nothing. */
export const wholePlan = (plan: Partial<DrillPlan> & Pick<DrillPlan, 'everyMs'>): DrillPlan => ({
  ...drillPlanDefaults,
  ...plan,
})

function isSame(row: ScheduleRow, plan: DrillPlan, workspace: string): boolean {
  const { everyMs, targets, faults, golden, costNanoUsdMax, unprovenMs } = row
  const had = { everyMs, targets, faults, golden, unprovenMs, costNanoUsdMax: String(costNanoUsdMax) }
  const text = (each: DrillPlan): string =>
    JSON.stringify([each.everyMs, each.targets, each.faults, each.unprovenMs, each.costNanoUsdMax])
  // The database gives members of JSON in an order of its own.
  const golds = (each: DrillPlan): string[] => each.golden.map(sortedJson)
  return row.workspace === workspace && text(had) === text(plan) && String(golds(had)) === String(golds(plan))
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

/**
 * Makes the drills of an environment what its stable version declares, in the transaction of the deployment: new ones
 * begin at once, changed ones keep their key, those that are declared no more are gone. What is not declared stays.
 * @returns Routes that changed.
 */
export async function applyDeclaredDrills(
  tx: Transaction,
  tools: { readonly newId: () => string; readonly nowMs: () => number },
  place: {
    readonly organisationId: string
    readonly environment: string
    readonly actor: string
    readonly compiled: CompiledWorkspace
  },
): Promise<string[]> {
  const { organisationId, environment, actor, compiled } = place
  const workspace = compiled.name
  const plans = compiled.environments[environment]?.drills ?? {}
  const changed: string[] = []
  for (const row of await listSchedules(tx, organisationId)) {
    const isOurs = row.workspace === workspace && row.environment === environment
    if (!isOurs || plans[row.model] !== undefined) continue
    await deleteSchedule(tx, organisationId, row.id)
    changed.push(routeName(row))
  }
  for (const [model, plan] of Object.entries(plans)) {
    const before = await findSchedule(tx, { organisationId, environment, model })
    if (before !== undefined && isSame(before, plan, workspace)) continue
    const nowMs = tools.nowMs()
    const row: ScheduleRow = {
      ...{ id: before?.id ?? tools.newId(), organisationId, environment, model, workspace },
      ...planColumns(plan),
      ...{ key: before?.key ?? null, nextMs: nowMs },
      ...{ createdMs: before?.createdMs ?? nowMs, createdBy: before?.createdBy ?? actor },
      ...{ alertedMs: before?.alertedMs ?? null, toldTo: before?.toldTo ?? [] },
    }
    await saveSchedule(tx, row)
    changed.push(routeName(row))
  }
  return changed
}
