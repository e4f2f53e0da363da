import { Refusal, type statusOperations } from '@signalbox/sdk/contract'
import { AuditChainReader, type AuditRow } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { listAuditRows } from '../stores/audit.ts'
import { checkSegments } from '../stores/segments.ts'

const rowsDefault = 100
const rowsPerRead = 1000
const segmentsNamedMax = 100

/** Reads the chain to its end, in pieces, and meets the row of a sequence on the way. */
async function readChain(db: Queryable, organisationId: string, wanted: number | undefined) {
  const reader = new AuditChainReader()
  let met: AuditRow | undefined
  for (let after = 0; reader.broken === null; ) {
    const rows = await listAuditRows(db, organisationId, { after, limit: rowsPerRead })
    for (const row of rows) {
      reader.take(row)
      if (row.sequence === wanted) met = row
    }
    if (rows.length < rowsPerRead) break
    after = rows.at(-1)?.sequence ?? after
  }
  return { reader, met }
}

/** The audit log: read, and proved. Only its organisation's. */
export function createAuditHandlers({
  db,
}: Dependencies): Pick<Handlers<typeof statusOperations>, 'listAudit' | 'verifyAudit'> {
  return {
    async listAudit({ organisationId }, { query }) {
      if (query.before !== undefined && query.after !== undefined) {
        throw new Refusal('invalid_request', {
          message: 'before and after do not go together.',
          param: 'after',
        })
      }
      const items = await listAuditRows(db, organisationId, { ...query, limit: query.limit ?? rowsDefault })
      return { items }
    },
    async verifyAudit({ organisationId }, { query }) {
      const { sequence, hash } = query
      if ((sequence === undefined) !== (hash === undefined)) {
        throw new Refusal('invalid_request', { message: 'sequence and hash go together.', param: 'hash' })
      }
      const { reader, met } = await readChain(db, organisationId, sequence)
      const { rows, broken } = reader
      const segments = await checkSegments(db, organisationId, segmentsNamedMax)
      return {
        ...{ rows, broken, segments: segments.count, brokenSegments: segments.broken },
        head: rows === 0 ? null : { sequence: rows, hash: reader.hash },
        continues: sequence === undefined ? null : met?.hash === hash,
      }
    },
  }
}
