import { type Static, Type } from 'typebox'
import { Id, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const

/** Fixed windows. `total` has no end. */
export const budgetWindows = ['day', 'week', 'month', 'quarter', 'year', 'total'] as const
export type BudgetWindow = (typeof budgetWindows)[number]
/** `hard` refuses what cannot be proved to fit, `soft` alerts, `shadow` only counts what it would have refused. */
export const budgetModes = ['hard', 'soft', 'shadow'] as const
export type BudgetMode = (typeof budgetModes)[number]
/** What a budget counts: nano-dollars, or tokens of input and output. */
export const budgetUnits = ['usd', 'tokens'] as const
export type BudgetUnit = (typeof budgetUnits)[number]

/** An amount of a budget's unit: nano-dollars or tokens, as a decimal string. */
export const Amount = Type.String({
  pattern: '^[0-9]{1,18}$',
  description: 'Nano-dollars (1e-9 USD) or tokens, as a decimal string.',
})

/** In which zone days begin. */
export const TimeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'IANA name, such as `Europe/Berlin`; `UTC` if left out.',
})
/** First day of the fiscal year; 29 February is none of every year's. */
export const FiscalStart = Type.String({
  pattern: '^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$',
  description: 'First day of the fiscal year, as `MM-DD` (day 01 to 28); quarters and years count from it.',
})

/** Whose spending a budget limits: a node with everything below it, or one key. */
export const BudgetOwner = Type.Object(
  { kind: Type.Enum(['node', 'key']), id: Id },
  { ...closed, description: 'A node with everything below it, or one key.' },
)
export type BudgetOwner = Static<typeof BudgetOwner>

/** How a gateway sees a budget: enough to know which ones a call is under. Part of the state document. */
export const StateBudget = Type.Object(
  {
    id: Id,
    owner: BudgetOwner,
    window: Type.Enum([...budgetWindows]),
    unit: Type.Enum([...budgetUnits]),
    mode: Type.Enum([...budgetModes]),
  },
  closed,
)
export type StateBudget = Static<typeof StateBudget>

/**
 * A window of a budget as the ledger has it: `limit = available + leased + stranded + settled` at every step; what was
 * billed beyond its hold is `overrun` and closes the window.
 */
export const WindowBalance = Type.Object(
  {
    budgetId: Id,
    startMs: TimeMs,
    endMs: Type.Union([TimeMs, Type.Null()], { description: 'Null for `total`.' }),
    limit: Amount,
    settled: Amount,
    leased: Amount,
    stranded: Amount,
    overrun: Amount,
    asOfMs: TimeMs,
  },
  closed,
)
export type WindowBalance = Static<typeof WindowBalance>

/** Budgets that one lease is deducted from: all that a call is under, of one unit. */
export const budgetsPerLeaseMax = 64
export const leasesPerRequestMax = 64
export const settlementsPerReportMax = 1000

/**
 * A wish for money. The id is the gateway's own, so that a lost reply is asked for again: the same id gives the same
 * lease. `need` is what the waiting call must have, `want` what would spare further questions.
 */
export const LeaseWish = Type.Object(
  {
    leaseId: Id,
    budgets: Type.Array(Id, { minItems: 1, maxItems: budgetsPerLeaseMax, uniqueItems: true }),
    need: Amount,
    want: Amount,
  },
  closed,
)
export type LeaseWish = Static<typeof LeaseWish>

/** What became of a wish. A refusal leaves every budget as it was. */
export const LeaseAnswer = Type.Object(
  {
    leaseId: Id,
    /** 0 where refused; at least `need` otherwise. */
    granted: Amount,
    /** Time until which the control plane hears from the holder, or takes the rest as stranded. */
    expiresInMs: Type.Integer({ minimum: 0 }),
    refusedBy: Type.Optional(
      Type.Object({ budgetId: Id, available: Amount, resetsAtMs: Type.Union([TimeMs, Type.Null()]) }, closed),
    ),
  },
  closed,
)
export type LeaseAnswer = Static<typeof LeaseAnswer>

/**
 * Where a lease stands, as its holder says. `amount` only falls and `settled` only rises, so reports may be repeated
 * and come in any order. `final`: nothing is held any more; `amount` equals `settled`.
 */
export const LeaseReport = Type.Object(
  { leaseId: Id, amount: Amount, settled: Amount, final: Type.Boolean() },
  closed,
)
export type LeaseReport = Static<typeof LeaseReport>

/** What one attempt kept and what it cost. Idempotent by (call, attempt, lease). */
export const SettlementReport = Type.Object(
  {
    callId: Id,
    attempt: Type.Integer({ minimum: 0, maximum: 64 }),
    leaseId: Id,
    hold: Amount,
    actual: Amount,
    /** What was billed beyond hold and free lease. */
    overrun: Amount,
    evidence: Type.Enum(['reported', 'estimated', 'hold']),
    timeMs: TimeMs,
  },
  closed,
)
export type SettlementReport = Static<typeof SettlementReport>

/** Refused reports that travel together, and what one of them may be long. */
export const refusedPerRequestMax = 64
export const refusedReportCharsMax = 4096

/**
 * What a gateway says of a report that the ledger refuses again and again: it is put aside for an operator to decide.
 * The lease that it tells of is heard of no more, and so becomes stranded.
 */
export const RefusedReport = Type.Object(
  {
    id: Id,
    incarnation: Type.String({ maxLength: 64, description: 'The run of the gateway that the report is of.' }),
    timeMs: TimeMs,
    error: Type.String({ maxLength: 512 }),
    tries: Type.Integer({ minimum: 1 }),
    report: Type.String({
      maxLength: refusedReportCharsMax,
      description: 'What was refused, as JSON: `leases` and `settlements` as `gatewaySettle` takes them.',
    }),
  },
  closed,
)
export type RefusedReport = Static<typeof RefusedReport>
