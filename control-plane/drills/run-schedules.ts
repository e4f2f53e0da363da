import { drillRoute } from '@signalbox/policies'
import type { ScoreCard } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { Database } from '../db/connect.ts'
import { repeatedly } from '../repeatedly.ts'
import type { SecretBox } from '../secret-box.ts'
import { drillKeyContext } from '../secret-contexts.ts'
import { claimSchedule, insertRun, type ScheduleRow } from '../stores/drills.ts'
import { findGatewayUrl } from '../stores/gateways.ts'

export interface DrillTools {
  readonly db: Database
  readonly secrets: SecretBox
  readonly nowMs: () => number
  readonly newId: () => string
}

/** How late a run may begin. */
const everyMs = 10_000
/** Runs that are made one after the other before the rest waits for the next time. */
const atOnceMax = 8

type Outcome = { readonly card: ScoreCard } | { readonly error: string }

async function drill(tools: DrillTools, schedule: ScheduleRow): Promise<Outcome> {
  const { organisationId, environment, id, model } = schedule
  if (schedule.key === null) {
    return { error: `it has no key: signalbox drills set ${model} --env ${environment} --key KEY` }
  }
  const gateway = await findGatewayUrl(tools.db, organisationId, environment)
  if (gateway === undefined) return { error: `no gateway of ${environment} says where it is reached` }
  const key = tools.secrets.decrypt(schedule.key, drillKeyContext(organisationId, id))
  try {
    return { card: await drillRoute({ gateway, key }, schedule) }
  } catch (error) {
    return {
      error: `the gateway was not reached: ${error instanceof Error ? error.message : 'failed'}`.slice(
        0,
        200,
      ),
    }
  }
}

/** Makes the drills that are due, each once however many control planes there are. Gives how many. */
export async function runSchedules(tools: DrillTools): Promise<number> {
  for (let made = 0; made < atOnceMax; made++) {
    const schedule = await claimSchedule(tools.db, tools.nowMs())
    if (schedule === undefined) return made
    const outcome = await drill(tools, schedule)
    const card = 'card' in outcome ? outcome.card : null
    await insertRun(tools.db, {
      id: tools.newId(),
      organisationId: schedule.organisationId,
      environment: schedule.environment,
      model: schedule.model,
      timeMs: tools.nowMs(),
      source: 'schedule',
      held: card?.held ?? 0,
      count: card?.of ?? 0,
      costNanoUsd: BigInt(card?.costNanoUsd ?? 0),
      card,
      error: 'error' in outcome ? outcome.error : null,
    })
  }
  return atOnceMax
}

/** Makes drills that are due for as long as the program runs; gives how to stop. */
export function startDrills(tools: DrillTools & { readonly log: Logger }): () => Promise<void> {
  const what = 'scheduled drills could not be made'
  return repeatedly(() => runSchedules(tools), { everyMs, log: tools.log, what })
}
