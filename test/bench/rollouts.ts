import { performance } from 'node:perf_hooks'
import { defaultGuards, type GuardMetric } from '@signalbox/sdk/contract'
import { judgeArms } from '../../control-plane/rollouts/judge-arms.ts'
import { addCall, type Behaviour, drawsOf, noCalls, usual } from '../control-plane/rollouts/simulated-arms.ts'

/*
 * The long form of `test/control-plane/rollouts`: simulated rollouts at 5 %, judged after every batch of calls with the
 * default guards. How often a candidate that is as good as stable is taken back or held, and after how many calls one
 * that is worse. `node test/bench/rollouts.ts [RUNS CALLS]`; ends with 1 beyond the false alarm rate of the guards.
 */
const [runsText = '1000', callsText = '50000'] = process.argv.slice(2)
const [runs, calls] = [Number(runsText), Number(callsText)]
const share = 0.05
const lookEvery = 500
const say = (text: string) => process.stdout.write(`${text}\n`)

function play(candidate: Behaviour, seed: number): { metric: GuardMetric; after: number } | undefined {
  const draw = drawsOf(seed)
  const arms = { stable: noCalls(), candidate: noCalls() }
  for (let call = 1; call <= calls; call++) {
    const isCandidate = draw() < share
    addCall(isCandidate ? arms.candidate : arms.stable, isCandidate ? candidate : usual, draw)
    if (call % lookEvery !== 0) continue
    const breached = judgeArms(arms, defaultGuards, 1).find(({ state }) => state === 'breached')
    if (breached !== undefined) return { metric: breached.metric, after: arms.candidate.calls }
  }
  return undefined
}

const startMs = performance.now()
let alarms = 0
for (let seed = 1; seed <= runs; seed++) if (play(usual, seed) !== undefined) alarms++
const promised = defaultGuards.falseAlarmPpm / 1_000_000
say(
  `${alarms} false alarms in ${runs} rollouts of ${calls} calls; the guards promise at most ${promised * 100} %`,
)
// Three deviations of what chance does to a rate that is just what was promised.
if (alarms > runs * promised + 3 * Math.sqrt(runs * promised)) process.exitCode = 1

const worse: readonly (readonly [string, Behaviour])[] = [
  ['all calls fail', { ...usual, upstream: 1 }],
  ['15 % fail, not 2 %', { ...usual, upstream: 0.15 }],
  ['twice the latency', { ...usual, latencyMs: usual.latencyMs * 2 }],
  ['twice the cost', { ...usual, costNanoUsd: usual.costNanoUsd * 2 }],
  ['1.4 times the cost', { ...usual, costNanoUsd: usual.costNanoUsd * 1.4 }],
  ['25 % denied, not 5 %', { ...usual, deny: 0.25 }],
]
for (const [what, behaviour] of worse) {
  const found = Array.from({ length: 20 }, (_, seed) => play(behaviour, seed + 1))
  const after = found.flatMap((each) => each?.after ?? []).sort((a, b) => a - b)
  const metrics = [...new Set(found.flatMap((each) => each?.metric ?? []))].join(', ')
  const middle = after[after.length >> 1] ?? '-'
  say(
    `${what}: ${after.length} of 20 found by ${metrics || 'nothing'}, half of them within ${middle} calls of the candidate`,
  )
}
say(`${((performance.now() - startMs) / 1000).toFixed(0)} s`)
