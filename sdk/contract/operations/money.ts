import { Type } from 'typebox'
import {
  Amount,
  BudgetOwner,
  budgetModes,
  budgetUnits,
  budgetWindows,
  FiscalStart,
  LeaseAnswer,
  LeaseReport,
  LeaseWish,
  leasesPerRequestMax,
  RefusedReport,
  refusedPerRequestMax,
  SettlementReport,
  settlementsPerReportMax,
  TimeZone,
  WindowBalance,
} from '../money.ts'
import { defineOperation } from '../operation.ts'
import { Id, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const

/** How gateways take money from the ledger and say what became of it (`research/reliability.md` §3.4). */
export const moneyOperations = {
  gatewayLease: defineOperation({
    id: 'gatewayLease',
    method: 'POST',
    path: '/v1/gateway/leases',
    role: 'gateway',
    summary:
      'Deducts leases from all their budgets at once, each wish whole or not at all. Idempotent by lease id.',
    body: Type.Object(
      { incarnation: Id, wishes: Type.Array(LeaseWish, { minItems: 1, maxItems: leasesPerRequestMax }) },
      closed,
    ),
    reply: Type.Object({ leases: Type.Array(LeaseAnswer), windows: Type.Array(WindowBalance) }, closed),
    errors: ['conflict'],
  }),
  gatewaySettle: defineOperation({
    id: 'gatewaySettle',
    method: 'POST',
    path: '/v1/gateway/settlements',
    role: 'gateway',
    summary:
      'Where leases stand, and the attempts that were settled. Idempotent; any order gives the same ledger.',
    body: Type.Object(
      {
        incarnation: Id,
        leases: Type.Array(LeaseReport, { maxItems: leasesPerRequestMax }),
        settlements: Type.Array(SettlementReport, { maxItems: settlementsPerReportMax }),
      },
      closed,
    ),
    reply: Type.Object(
      {
        leases: Type.Array(
          Type.Object(
            {
              leaseId: Id,
              expiresInMs: Type.Integer({ minimum: 0 }),
              /** The idle part is wanted back: the limit fell, or others wait. */
              recall: Type.Boolean(),
            },
            closed,
          ),
        ),
        windows: Type.Array(WindowBalance),
      },
      closed,
    ),
    errors: ['conflict'],
  }),
  gatewayPutAside: defineOperation({
    id: 'gatewayPutAside',
    method: 'POST',
    path: '/v1/gateway/settlements/refused',
    role: 'gateway',
    summary: 'Reports that the ledger refuses for good, kept for an operator. Idempotent by their ids.',
    body: Type.Object(
      { reports: Type.Array(RefusedReport, { minItems: 1, maxItems: refusedPerRequestMax }) },
      closed,
    ),
    reply: Type.Object({ kept: Type.Integer({ minimum: 0 }) }, closed),
    errors: [],
  }),
} as const

export const budgetShape = {
  owner: BudgetOwner,
  window: Type.Enum([...budgetWindows]),
  unit: Type.Enum([...budgetUnits]),
  mode: Type.Enum([...budgetModes]),
  limit: Amount,
  timeZone: TimeZone,
  fiscalStart: FiscalStart,
  /** Shares of the limit, in ppm, at which somebody is told. */
  alertsPpm: Type.Array(Type.Integer({ minimum: 1, maximum: 10_000_000 }), { maxItems: 16 }),
}
export const BudgetOverride = Type.Object(
  {
    limit: Amount,
    untilMs: TimeMs,
    reason: Type.String({ minLength: 1, maxLength: 512 }),
    by: Type.String(),
  },
  closed,
)
export const Budget = Type.Object(
  {
    id: Id,
    ...budgetShape,
    /** Where the owner stands: names from the root down, joined by `/`; a key's label after its team. */
    path: Type.String(),
    /** `workspace`: declared under `teams:` of a `signalbox.yaml`; its next deployment sets it again. */
    managedBy: Type.Enum(['api', 'workspace']),
    override: Type.Union([BudgetOverride, Type.Null()]),
    /** Null before the first call under it. */
    current: Type.Union([WindowBalance, Type.Null()]),
    revision: Type.Integer({
      minimum: 1,
      description: 'Grows with each change; a change names the one it saw.',
    }),
    createdMs: TimeMs,
    pending: Type.Optional(Type.Array(Type.String())),
  },
  closed,
)
