import { type DrillDeclaration, type DrillPlan, drillPlanDefaults } from '@signalbox/sdk/contract'
import { checkGolden } from '../drills/unmet-expectations.ts'
import type { Finding } from './problem-list.ts'
import type { DocumentPath } from './source-document.ts'
import { checkModelName, type WorkspaceNames } from './workspace-names.ts'

const unitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const dayMs = 86_400_000
const everyMsMax = 30 * dayMs
const unprovenMsMax = 365 * dayMs

/** Milliseconds of `24h`, whose form the schema has checked. */
const timeOf = (text: string): number => Number(text.slice(0, -1)) * (unitsMs[text.slice(-1)] ?? 0)

/** Nano-dollars of `0.10 USD`. */
function costOf(text: string): string {
  const [whole = '0', fraction = ''] = text.replace(/ USD$/, '').split('.')
  return String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')))
}

/** The plan that `signalbox.yaml` declares for a route. */
export function drillPlanOf(declared: DrillDeclaration): DrillPlan {
  const { every, maxCost, alertAfter, targets, faults, golden } = declared
  return {
    ...drillPlanDefaults,
    everyMs: timeOf(every),
    ...(targets !== undefined && { targets }),
    ...(faults !== undefined && { faults }),
    ...(golden !== undefined && { golden }),
    ...(maxCost !== undefined && { costNanoUsdMax: costOf(maxCost) }),
    ...(alertAfter !== undefined && { unprovenMs: timeOf(alertAfter) }),
  }
}

function faultOfGolden(golden: NonNullable<DrillDeclaration['golden']>[number]): string | undefined {
  try {
    checkGolden(golden)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What is wrong with the drills of an environment: routes that are none, times that are too long, patterns. */
export function checkDrills(
  drills: Readonly<Record<string, DrillDeclaration>>,
  names: WorkspaceNames,
  report: (path: DocumentPath, finding: Finding | undefined, part?: 'key') => void,
): void {
  for (const [model, declared] of Object.entries(drills)) {
    report([model], checkModelName(model, names), 'key')
    const { everyMs, unprovenMs } = drillPlanOf(declared)
    if (everyMs > everyMsMax) {
      report([model, 'every'], { code: 'schema', message: 'a route is drilled every 30d at least' })
    }
    if (unprovenMs > unprovenMsMax) {
      report([model, 'alertAfter'], { code: 'schema', message: 'the longest time is 365d' })
    }
    for (const [index, golden] of (declared.golden ?? []).entries()) {
      const message = faultOfGolden(golden)
      if (message !== undefined) report([model, 'golden', index], { code: 'schema', message })
    }
  }
}
