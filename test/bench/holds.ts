import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { createIdSource } from '../../gateway/id-source.ts'
import { admit } from '../../gateway/money/admit.ts'
import type { BudgetSet } from '../../gateway/money/call-budgets.ts'
import { HoldJournal } from '../../gateway/money/hold-journal.ts'
import { Money } from '../../gateway/money/money.ts'
import { boundOf } from '../../gateway/money/request-bound.ts'
import { MemoryLedger } from '../support/memory-ledger.ts'

/**
 * What a budget costs a call in the gateway's thread: bound, hold, journal line, settlement and its line, with four
 * budgets on the path and 200 other attempts under way. Prints the time of one in microseconds.
 */
const calls = 50_000
const folder = mkdtempSync(join(tmpdir(), 'signalbox-holds-'))
const log = createLogger('holds-bench', 'silent')
const ids = ['organisation', 'team', 'project', 'key']
const ledger = new MemoryLedger()
for (const id of ids) ledger.add(id, 10n ** 17n)
const budgets = ids.map((id) => {
  return { id, owner: { kind: 'node', id }, window: 'month', unit: 'usd', mode: 'hard' } as const
})
const set: BudgetSet = { id: ids.join(' '), unit: 'usd', budgets, isHard: true, shadows: [] }
const createId = createIdSource()
const journal = new HoldJournal({ folder, incarnation: 'bench', bootId: 'bench', log })
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const money = new Money({ link: ledger, incarnation: 'bench', clock, createId, log, journal })
const prices = [
  { units: { input: 3_000_000, cacheRead: 300_000, cacheWrite5m: 3_750_000, output: 15_000_000 } },
]
const traits = {
  ...{
    images: 0,
    imageBytes: 0,
    isOpenEnded: false,
    serverTools: undefined,
    isHidden: false,
    pricedTier: undefined,
  },
}
const usage = { input: 1200, output: 300 }

async function takeOne(callId: string) {
  const bound = boundOf({
    ...{
      traits,
      bodyBytes: 4096,
      prices,
      contextTokens: 200_000,
      outputTokens: 4096,
      choices: 1,
      vendor: 'anthropic',
    },
  })
  const admitted = admit(money, {
    ...{
      budgets: [set],
      owner: { callId, attempt: 0 },
      bound,
      canGrow: false,
      isVisible: false,
      isStream: true,
    },
    ...{ stopsBilling: false, capLeft: undefined, priceDigest: undefined, targetName: 'bench/model' },
  })
  return admitted instanceof Promise ? await admitted : admitted
}
const settled = { evidence: 'reported', outcome: 'ok', seenTokens: 0, reportedOutputTokens: 300 } as const

await money.ask(set, { need: 10n ** 12n, want: 10n ** 15n, take: () => true }, 1000)
for (let count = 0; count < 200; count++) await takeOne(createId())
const timesUs = new Float64Array(calls)
let waited = 0
for (let count = 0; count < calls + 5000; count++) {
  const callId = createId()
  const asked = ledger.asked
  const startMs = performance.now()
  const hold = await takeOne(callId)
  hold.dispatch()
  hold.settle({ ...settled, usage, costNanoUsd: 8_100_000n }, startMs)
  if (count >= 5000) timesUs[count - 5000] = (performance.now() - startMs) * 1000
  if (ledger.asked > asked) waited++
}
timesUs.sort()
const at = (share: number): string => (timesUs[Math.floor(calls * share)] ?? 0).toFixed(1)
process.stdout.write(`admit + settle: p50 ${at(0.5)} us, p99 ${at(0.99)} us, p99.9 ${at(0.999)} us; `)
process.stdout.write(`${calls} attempts, ${waited} of them while the ledger was asked\n`)
await money.close(1000)
rmSync(folder, { recursive: true, force: true })
