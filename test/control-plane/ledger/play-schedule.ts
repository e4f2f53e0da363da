import fc from 'fast-check'
import { Fleet, type FleetMutant, type Step } from './fleet.ts'
import {
  type Balance,
  type BudgetName,
  budgets,
  type LedgerUnderTest,
  type PathName,
} from './model-ledger.ts'

const gateway = fc.nat({ max: 2 })
const some = fc.nat({ max: 30 })
const path = fc.constantFrom<PathName>('key', 'team', 'watched')
const amount = (max: number) => fc.integer({ min: 1, max })
const grant = fc.record({
  do: fc.constant('grant' as const),
  gateway,
  path,
  need: amount(90),
  want: amount(250),
  reply: fc.constantFrom(
    'comes' as const,
    'comes' as const,
    'comes' as const,
    'lost' as const,
    'lostThenAskedAgain' as const,
  ),
})
const share = fc.constantFrom(100, 100, 60, 10, 0)
const report = fc.record({
  do: fc.constant('report' as const),
  gateway,
  lease: some,
  give: fc.constantFrom(0, 0, 50, 100),
  close: fc.constantFrom(false, false, false, true),
  copies: amount(2),
})
const faults = [
  fc.record({ do: fc.constant('crash' as const), gateway, journal: fc.boolean() }),
  fc.record({
    do: fc.constantFrom('restart' as const, 'restart' as const, 'pause' as const, 'cut' as const),
    gateway,
  }),
  fc.record({ do: fc.constantFrom('expire' as const, 'expire' as const, 'nextDay' as const) }),
  fc.record({
    do: fc.constant('setLimit' as const),
    budget: fc.constantFrom<BudgetName>('organisation', 'team', 'key'),
    limit: fc.constantFrom(100, 300, 600, 1500),
  }),
]
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: grant },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('dispatch' as const), gateway, path, hold: amount(60) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('finish' as const), call: some, share }) },
  { weight: 5, arbitrary: report },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('deliver' as const), message: some }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), message: some }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: amount(45) }) },
  ...faults.map((arbitrary) => ({ weight: 1, arbitrary: arbitrary as fc.Arbitrary<Step> })),
)

/** Schedules of about so many steps. */
export function schedules(stepsMax: number): fc.Arbitrary<Step[]> {
  return fc.array(step, { minLength: Math.floor(stepsMax / 2), maxLength: stepsMax, size: 'max' })
}

/** What every schedule begins with; a Sunday noon, in the middle of a day. */
export const startMs = Date.UTC(2026, 2, 1, 12)
const committed = ({ settled, leased, stranded }: Balance): number => settled + leased + stranded

/** @throws Error that names the broken rule (`research/reliability.md` §3.6). */
function checkStep(
  fleet: Fleet,
  before: ReadonlyMap<string, Balance>,
  after: ReadonlyMap<string, Balance>,
): void {
  for (const [key, balance] of after) {
    const was = before.get(key)
    const sums = `${key} ${JSON.stringify(balance)}`
    if (Object.values(balance).some((each) => each < 0)) throw new Error(`I2 negative: ${sums}`)
    if (was !== undefined && balance.settled < was.settled) throw new Error(`I9 settled fell: ${sums}`)
    const name = key.split(' ')[0] as BudgetName
    const over = budgets[name].mode === 'hard' && committed(balance) > balance.limit
    // After a limit was lowered what is committed may only shrink.
    if (over && committed(balance) > committed(was ?? balance)) throw new Error(`I1 over the limit: ${sums}`)
    if (over && was === undefined) throw new Error(`I1 over the limit: ${sums}`)
    const bill = fleet.bill.get(key) ?? 0
    const reach = committed(balance) + balance.overrun
    if (bill > reach) throw new Error(`I3 billed ${bill}, not covered: ${sums}`)
    const known = bill + (fleet.estimated.get(key) ?? 0)
    if (balance.settled > known) throw new Error(`I1 settled more than the bill ${known}: ${sums}`)
  }
}

/** @throws Error where money is left with nobody, or the ledger is not the bill. */
function checkRest(fleet: Fleet, balances: ReadonlyMap<string, Balance>, faultless: boolean): void {
  for (const [key, balance] of balances) {
    const sums = `${key} ${JSON.stringify(balance)}`
    const bill = fleet.bill.get(key) ?? 0
    if (bill > balance.settled + balance.leased + balance.stranded)
      throw new Error(`bill ${bill} beyond ${sums}`)
    if (!faultless) continue
    if (balance.leased !== 0 || balance.stranded !== 0 || balance.settled !== bill) {
      throw new Error(`I6 at rest, bill ${bill}: ${sums}`)
    }
  }
}

function balancesEqual(a: ReadonlyMap<string, Balance>, b: ReadonlyMap<string, Balance>): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort())
}

/** Plays a schedule and looks at all rules after each step. @throws Error at the first that is broken. */
export async function playSchedule(
  ledger: LedgerUnderTest,
  steps: readonly Step[],
  mutant?: FleetMutant,
): Promise<void> {
  const fleet = new Fleet(ledger, mutant)
  await fleet.start(startMs)
  let before = await ledger.balances()
  for (const each of steps) {
    const taken = fleet.gateways.map(({ leases }) => leases.size).join()
    await fleet.play(each)
    const after = await ledger.balances()
    checkStep(fleet, before, after)
    const refused =
      each.do === 'grant' &&
      each.reply === 'comes' &&
      taken === fleet.gateways.map(({ leases }) => leases.size).join()
    const opened = new Map([...after].filter(([key, balance]) => before.has(key) || committed(balance) > 0))
    if (
      refused &&
      !balancesEqual(before, opened) &&
      [...before].every(([key, { limit }]) => after.get(key)?.limit === limit)
    ) {
      throw new Error('I7 a refusal has changed a balance')
    }
    before = after
  }
  await fleet.settleDown()
  const lost = steps.some((each) => each.do === 'grant' && each.reply === 'lost')
  checkRest(fleet, await ledger.balances(), fleet.kills === 0 && !lost)
}
