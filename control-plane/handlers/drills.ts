import { checkGolden } from '@signalbox/policies'
import {
  type BodyOf,
  type DrillSchedule,
  type drillOperations,
  Refusal,
  type ReplyOf,
} from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import { isUnproven } from '../alerts/watch-drills.ts'
import type { Dependencies } from '../dependencies.ts'
import { planColumns, wholePlan } from '../drills/declared-drills.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { drillKeyContext } from '../secret-contexts.ts'
import { withAudit } from '../stores/audit.ts'
import {
  deleteSchedule,
  findSchedule,
  insertRun,
  lastProven,
  listSchedules,
  newestRuns,
  type RunRow,
  routeName,
  type ScheduleRow,
  saveSchedule,
} from '../stores/drills.ts'
import { requireEnvironment } from './environments.ts'

type DrillHandlers = Handlers<typeof drillOperations>
type Wanted = BodyOf<typeof drillOperations.setDrillSchedule>
type Route = ReplyOf<typeof drillOperations.listDrills>['items'][number]

function describeSchedule(row: ScheduleRow): DrillSchedule {
  const {
    id,
    environment,
    model,
    everyMs,
    targets,
    faults,
    golden,
    unprovenMs,
    createdMs,
    createdBy,
    nextMs,
    workspace,
    key,
  } = row
  return {
    ...{ id, environment, model, everyMs, targets, faults, golden, unprovenMs, createdMs, createdBy, nextMs },
    ...{ workspace, hasKey: key !== null },
    costNanoUsdMax: String(row.costNanoUsdMax),
  }
}

const describeRun = ({
  id,
  timeMs,
  source,
  held,
  count,
  costNanoUsd,
  error,
}: RunRow): Route['runs'][number] => ({
  ...{ id, timeMs, source, held, of: count, error },
  costNanoUsd: String(costNanoUsd),
})

async function listRoutes({ db, nowMs }: Dependencies, organisationId: string): Promise<Route[]> {
  const schedules = new Map((await listSchedules(db, organisationId)).map((row) => [routeName(row), row]))
  const runs = await newestRuns(db, organisationId)
  const proven = await lastProven(db, organisationId)
  const names = [...new Set([...schedules.keys(), ...runs.keys()])].sort()
  return names.flatMap((name) => {
    const schedule = schedules.get(name)
    const own = runs.get(name) ?? []
    const place = schedule ?? own[0]
    if (place === undefined) return []
    const provenMs = proven.get(name)
    return {
      environment: place.environment,
      model: place.model,
      schedule: schedule === undefined ? null : describeSchedule(schedule),
      provenMs: provenMs ?? null,
      unproven: schedule !== undefined && isUnproven(schedule, provenMs, nowMs()),
      card: own.find(({ card }) => card !== null)?.card ?? null,
      runs: own.map(describeRun),
    }
  })
}

/** @throws Refusal `invalid_request` for a first schedule without a key, or an expectation that is none. */
function scheduleFrom(
  body: Wanted,
  before: ScheduleRow | undefined,
  context: {
    readonly dependencies: Dependencies
    readonly request: RequestContext
    readonly environment: string
  },
): ScheduleRow {
  const { dependencies, request, environment } = context
  const { newId, nowMs, secrets } = dependencies
  const { organisationId, actor } = request
  const id = before?.id ?? newId()
  const key =
    body.key === undefined ? before?.key : secrets.encrypt(body.key, drillKeyContext(organisationId, id))
  if (before?.workspace != null) return declaredWithKey(before, body, { key, nowMs: nowMs() })
  const everyMs = body.everyMs ?? before?.everyMs
  if (key == null || everyMs === undefined) {
    const [param, what] =
      key == null ? ['key', 'a key of a gateway'] : ['everyMs', 'a time to be repeated after']
    throw new Refusal('invalid_request', { message: `A new schedule needs ${what}.`, param })
  }
  try {
    body.golden?.forEach(checkGolden)
  } catch (error) {
    throw new Refusal('invalid_request', { message: (error as Error).message, param: 'golden' })
  }
  const { targets, faults, golden, unprovenMs } = { ...before, ...body }
  const costNanoUsdMax = body.costNanoUsdMax ?? before?.costNanoUsdMax.toString()
  const said = { targets, faults, golden, unprovenMs, costNanoUsdMax }
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  return {
    ...{ id, organisationId, environment, model: body.model, key, workspace: null },
    ...planColumns(wholePlan({ everyMs, ...known })),
    createdMs: before?.createdMs ?? nowMs(),
    createdBy: before?.createdBy ?? actor,
    // The first run is made at once.
    nextMs: nowMs(),
    alertedMs: before?.alertedMs ?? null,
    toldTo: before?.toldTo ?? [],
  }
}

/** A declared schedule with another key, which is all of it that no file can say. @throws Refusal `conflict`. */
function declaredWithKey(
  before: ScheduleRow,
  body: Wanted,
  { key, nowMs }: { readonly key: string | null | undefined; readonly nowMs: number },
): ScheduleRow {
  const { key: _, model: _model, environment: _environment, ...others } = body
  if (Object.keys(others).length > 0 || body.key === undefined) throw declaredRefusal(before)
  return { ...before, key: key ?? null, nextMs: nowMs }
}

const declaredRefusal = ({ model, environment, workspace }: ScheduleRow): Refusal =>
  new Refusal('conflict', {
    message:
      `The drills of ${model} in ${environment} are declared in signalbox.yaml of the workspace "${workspace}": ` +
      'change them there. Only their key is set here.',
  })

function setSchedule(dependencies: Dependencies): DrillHandlers['setDrillSchedule'] {
  return async (request, { body }) => {
    const { organisationId, actor } = request
    const environment = body.environment ?? dependencies.environment
    await requireEnvironment(dependencies.db, organisationId, environment)
    const place = { organisationId, environment, model: body.model }
    return await withAudit(
      dependencies,
      { organisationId, actor, action: 'setDrillSchedule' },
      async (tx) => {
        const before = await findSchedule(tx, place)
        const row = scheduleFrom(body, before, { dependencies, request, environment })
        await saveSchedule(tx, row)
        const { key: _, ...detail } = body
        return { result: describeSchedule(row), audit: { object: `drill ${routeName(row)}`, detail } }
      },
    )
  }
}

function reportRuns(dependencies: Dependencies): DrillHandlers['reportDrills'] {
  return async ({ organisationId, actor }, { body }) => {
    const environment = body.environment ?? dependencies.environment
    await requireEnvironment(dependencies.db, organisationId, environment)
    return await withAudit(dependencies, { organisationId, actor, action: 'reportDrills' }, async (tx) => {
      const items: { id: string; model: string }[] = []
      for (const card of body.cards) {
        const { model, held, of: count } = card
        const id = dependencies.newId()
        const cost = { costNanoUsd: BigInt(card.costNanoUsd), card, error: null }
        const run = {
          id,
          organisationId,
          environment,
          model,
          timeMs: dependencies.nowMs(),
          held,
          count,
          ...cost,
        }
        await insertRun(tx, { ...run, source: 'report' })
        items.push({ id, model })
      }
      const detail = body.cards.map(({ model, held, of }) => `${model} ${held}/${of}`)
      return { result: { items }, audit: { object: `drills ${environment}`, detail: { runs: detail } } }
    })
  }
}

/** Drills: when they are made, and what they came to. */
export function createDrillHandlers(dependencies: Dependencies): DrillHandlers {
  return {
    async listDrills({ organisationId }, { query: { environment } }) {
      if (environment !== undefined) await requireEnvironment(dependencies.db, organisationId, environment)
      const items = await listRoutes(dependencies, organisationId)
      return { items: items.filter((each) => environment === undefined || each.environment === environment) }
    },
    setDrillSchedule: setSchedule(dependencies),
    async deleteDrillSchedule({ organisationId, actor }, { params: { id } }) {
      return await withAudit(
        dependencies,
        { organisationId, actor, action: 'deleteDrillSchedule' },
        async (tx) => {
          const row = isUuid(id) ? await deleteSchedule(tx, organisationId, id) : undefined
          if (row?.workspace != null) throw declaredRefusal(row)
          if (row === undefined) throw new Refusal('not_found', { message: 'There is no such schedule.' })
          return { result: { id }, audit: { object: `drill ${routeName(row)}`, detail: {} } }
        },
      )
    },
    reportDrills: reportRuns(dependencies),
  }
}
