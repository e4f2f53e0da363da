import type { OperationDefinition } from '@signalbox/sdk/contract'
import type { Identity } from '../authenticate.ts'
import type { Database } from '../db/connect.ts'
import type { RequestInput } from '../request-input.ts'
import { withAudit } from '../stores/audit.ts'

/** The same reader, reading the same thing again within this time, is one row: a page of the console asks often. */
export const readAuditMs = 10 * 60_000
const remembered = 10_000

/** Notes in the audit log who reads records, before they are handed out: no row, no records. */
export function createReadAudit(tools: { readonly db: Database; readonly nowMs: () => number }) {
  const noted = new Map<string, number>()
  return async (
    operation: OperationDefinition,
    { organisationId, actor }: Identity,
    { params, query }: RequestInput,
  ): Promise<void> => {
    const nowMs = tools.nowMs()
    const object = typeof params.id === 'string' ? `record ${params.id}` : 'records'
    const { cursor: _cursor, limit: _limit, sinceMs: _since, untilMs: _until, ...detail } = query
    const name = JSON.stringify([organisationId, actor, operation.id, object, detail])
    if ((noted.get(name) ?? 0) > nowMs - readAuditMs) return
    await withAudit(tools, { organisationId, actor, action: operation.id }, async () => ({
      result: undefined,
      audit: { object, detail },
    }))
    noted.delete(name)
    noted.set(name, nowMs)
    const [oldest] = noted.keys()
    if (noted.size > remembered && oldest !== undefined) noted.delete(oldest)
  }
}
