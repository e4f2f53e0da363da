import { createBatches } from './batches.ts'
import { grantLeases } from './grant.ts'
import { storeExplanation, takeReports } from './settle.ts'
import { strandExpired } from './strand.ts'
import type { LeaseReply, LeaseRequest, LedgerTools, Outcome, SettleReply, SettleRequest } from './terms.ts'

const batchLimits = { itemsMax: 64, waitingMax: 4096 }

/** What gateways ask of the ledger. */
export interface Ledger {
  /** @throws Refusal `conflict` where the run is not the gateway's newest. */
  grant(request: LeaseRequest): Promise<LeaseReply>
  /** @throws Refusal `conflict` where the run is none of the gateway's; `invalid_request` for sums that cannot be. */
  settle(request: SettleRequest): Promise<SettleReply>
  /** Takes what expired leases hold as stranded. Gives how many. */
  strandExpired(): Promise<number>
}

async function unwrap<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const settled = await outcome
  if ('refusal' in settled) throw settled.refusal
  return settled.reply
}

/** The ledger on a database. Several may work on one. */
export function createLedger(tools: LedgerTools): Ledger {
  const grants = createBatches<LeaseRequest, Outcome<LeaseReply>>(
    (requests) => grantLeases(tools, requests),
    batchLimits,
  )
  const reports = createBatches<SettleRequest, Outcome<SettleReply>>(
    (requests) => takeReports(tools, requests),
    batchLimits,
  )
  return {
    grant: (request) => unwrap(grants(request.organisationId, request)),
    async settle(request) {
      await storeExplanation(tools, request)
      return await unwrap(reports(request.organisationId, request))
    },
    strandExpired: () => strandExpired(tools),
  }
}
