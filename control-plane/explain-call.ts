import { DeciderReader, type Engine, type ExplainOptions, explainRecord } from '@signalbox/policies'
import type { CallRecord, Explanation } from '@signalbox/sdk/contract'
import type { Database } from './db/connect.ts'
import { databaseLibrary } from './replay-library.ts'
import { listGateways } from './stores/gateways.ts'

export interface ExplainTools {
  readonly db: Database
  readonly engine: Engine
  /** Address of a trace with `{traceId}` in it, if traces can be looked at somewhere. */
  readonly traceUrlTemplate?: string | undefined
}

/** Why a stored call was decided as it was, with the documents and versions of its time. */
export async function explainCall(tools: ExplainTools, record: CallRecord): Promise<Explanation> {
  const { db, engine, traceUrlTemplate } = tools
  const { row } = record
  const deciders = await new DeciderReader(databaseLibrary(db, row.organisationId)).of(record)
  const gateways = await listGateways(db, row.organisationId, row.environment)
  const gatewayName = gateways.find(({ id }) => id === row.gatewayId)?.name
  const options: ExplainOptions = {
    ...{ record, engine },
    versions: deciders.versions,
    catalogue: deciders.catalogue,
    params: deciders.params,
    ...(gatewayName !== undefined && { gatewayName }),
    ...(traceUrlTemplate !== undefined && { traceUrlTemplate }),
    // Other requests are served between two evaluations.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  }
  return await explainRecord(options)
}
