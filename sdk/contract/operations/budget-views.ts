import { Type } from 'typebox'
import { Amount, WindowBalance } from '../money.ts'
import { Id, TimeMs } from '../scalars.ts'
import { Budget } from './money.ts'

const closed = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })
const Share = Type.Object({ amount: Amount, attempts: Count }, closed)

export const BudgetPreview = Type.Object(
  {
    before: Type.Union([Budget, Type.Null()]),
    /** The running window as it would be. */
    after: WindowBalance,
    /** Limit minus what is settled, leased and stranded; negative where that is more than the limit. */
    available: Type.String({ pattern: '^-?[0-9]{1,20}$' }),
    /** Calls of nobody would be let in now. */
    closesNow: Type.Boolean(),
    /** Thresholds that would be told of at once. */
    alertsPpm: Type.Array(Type.Integer()),
    /** Who spends under it in the running window, the most first: refused from now on where `closesNow` is set. */
    spenders: Type.Array(
      Type.Object(
        {
          keyId: Type.Union([Id, Type.Null()]),
          name: Type.Union([Type.String(), Type.Null()]),
          ...Share.properties,
        },
        closed,
      ),
    ),
    warnings: Type.Array(Type.String()),
  },
  closed,
)
const Hold = Type.Object(
  {
    leaseId: Id,
    gatewayId: Id,
    incarnation: Id,
    state: Type.Enum(['active', 'stranded']),
    amount: Amount,
    settled: Amount,
    sinceMs: TimeMs,
    expiresMs: TimeMs,
    batch: Type.Optional(
      Type.Object(
        {
          connection: Type.String(),
          providerId: Type.Union([Type.String(), Type.Null()]),
          lines: Type.Integer({ minimum: 0 }),
        },
        {
          ...closed,
          description:
            'The batch that it pays for, until that is metered; its provider has no id for it yet where null.',
        },
      ),
    ),
  },
  closed,
)
/** Where a window's money went. */
export const BudgetExplanation = Type.Object(
  {
    budget: Budget,
    window: Type.Union([WindowBalance, Type.Null()]),
    windows: Type.Array(WindowBalance, { description: 'The newest windows, newest first.' }),
    byKey: Type.Array(
      Type.Object(
        {
          keyId: Type.Union([Id, Type.Null()]),
          name: Type.Union([Type.String(), Type.Null()]),
          ...Share.properties,
        },
        closed,
      ),
    ),
    byTarget: Type.Array(
      Type.Object({ target: Type.Union([Type.String(), Type.Null()]), ...Share.properties }, closed),
    ),
    byDay: Type.Array(Type.Object({ dayMs: TimeMs, ...Share.properties }, closed)),
    /** The dearest attempts. */
    calls: Type.Array(
      Type.Object(
        {
          callId: Id,
          attempt: Count,
          leaseId: Id,
          timeMs: TimeMs,
          hold: Amount,
          actual: Amount,
          overrun: Amount,
          evidence: Type.Enum(['reported', 'estimated', 'hold']),
          keyId: Type.Union([Id, Type.Null()]),
          target: Type.Union([Type.String(), Type.Null()]),
          voided: Type.Boolean(),
        },
        closed,
      ),
    ),
    leases: Type.Array(Hold, { description: 'Money that gateways hold, and that went lost with them.' }),
    /** Settled by leases, of which no attempt has been reported (yet). Below zero never. */
    unexplained: Amount,
    /** Wishes that a soft or shadow budget let pass and a hard one would have refused. */
    wouldRefuse: Count,
    /** Of the running window, if it goes on as it did; null where nothing can be said yet. */
    forecast: Type.Union([
      Type.Object({ projected: Amount, exhaustedMs: Type.Union([TimeMs, Type.Null()]) }, closed),
      Type.Null(),
    ]),
  },
  closed,
)
const Sums = Type.Object(
  { settled: Type.String(), leased: Type.String(), stranded: Type.String(), overrun: Type.String() },
  closed,
)
/** A window whose balance, transfers and leases do not say the same. There is none unless somebody wrote to tables. */
export const LedgerDifference = Type.Object(
  { budgetId: Id, startMs: TimeMs, kept: Sums, transfers: Sums, leases: Sums },
  closed,
)
