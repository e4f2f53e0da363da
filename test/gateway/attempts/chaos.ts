import { LLMock } from '@copilotkit/aimock'
import { replaySelection } from '@signalbox/policies'
import type { CallRecord, PlanNode } from '@signalbox/sdk/contract'
import { breakerRules } from '../../../gateway/health/breaker.ts'
import { allow, connectionOf, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { startScriptedUpstream } from '../../support/scripted-upstream.ts'
import { failing } from './faults.ts'

export interface ChaosOptions {
  readonly calls: number
  readonly atOnce: number
  readonly seed: number
  /** Faults in the middle of answers too. */
  readonly late: boolean
  /** Without breakers every call meets the faults itself. */
  readonly breakers: boolean
}
export interface ChaosReport {
  readonly calls: number
  /** Whole answers. */
  readonly answered: number
  /** Begun answers that ended in a typed error, and calls that got an error for an answer. */
  readonly typedErrors: number
  /** Answers that stop without an end or an error, and calls that hang. */
  readonly silent: number
  readonly records: number
  /** Recorded selections that do not give the same order again. */
  readonly misreplayed: number
  readonly attempts: number
  readonly seconds: number
}

const [first, second, third] = ['faulty/gpt-5.2', 'well/gpt-5-mini', 'sound/gpt-5-mini'] as const
const leaves = [first, second, third].map((target) => ({ target }))
/** All strategies, each over the faulty target and both healthy ones. */
const plans: readonly PlanNode[] = [
  { strategy: 'ordered', of: leaves },
  { strategy: 'weighted', of: leaves, with: { weights: [8, 1, 1] } },
  { strategy: 'sticky', of: leaves, with: { by: 'session' } },
  { strategy: 'lowestLatency', of: leaves, with: { tolerancePpm: 300_000 } },
  { strategy: 'leastBusy', of: leaves },
  {
    strategy: 'ordered',
    of: [
      { strategy: 'hedged', of: [{ target: first, retries: 1 }, { target: second }], with: { afterMs: 300 } },
      { target: third },
    ],
  },
]
/** Rates of the simulator's faults: 30 % together, all before the first byte. */
const rates = { dropRate: 0.1, malformedRate: 0.06, disconnectRate: 0.06, rateLimitRate: 0.08 }
const lateFaults = [
  '429-before',
  '500-before',
  'cut-before',
  'malformed-before',
  'cut-after',
  'malformed-after',
]

/** Small numbers from a seed (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

type Ending = 'answered' | 'typedErrors' | 'silent'

function endingOf(status: number, text: string, stream: boolean): Ending {
  if (status !== 200) return text.includes('"error"') ? 'typedErrors' : 'silent'
  if (!stream) return text.includes('"finish_reason":"stop"') ? 'answered' : 'silent'
  if (/^data: \{"error":\{/m.test(text)) return 'typedErrors'
  return text.includes('data: [DONE]') ? 'answered' : 'silent'
}

async function sendOne(gateway: RunningGateway, draw: () => number, late: boolean): Promise<Ending> {
  const stream = draw() % 2 === 0
  const fault = late && draw() % 10 < 5 ? `fault=${lateFaults[draw() % lateFaults.length]}` : ''
  const body = { model: first, stream, messages: [{ role: 'user', content: `Hello ${fault}` }] }
  const headers = { 'x-signalbox-session': `session-${draw() % 50}` }
  try {
    const signal = AbortSignal.timeout(20_000)
    const response = await gateway.send('/v1/chat/completions', body, { headers, signal })
    return endingOf(response.status, await response.text(), stream)
  } catch {
    return 'silent'
  }
}

const misreplays = ({ body: { decision, selection } }: CallRecord): boolean => {
  if (decision?.plan === undefined || selection === undefined) return true
  return replaySelection(decision.plan, selection).join() !== selection.order.join()
}

/** Sends calls at a gateway whose first target fails three times of ten, and counts how they end. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { calls, atOnce, seed, late, breakers } = options
  const mock = new LLMock({ port: 0, chaos: rates, logLevel: 'silent' })
  mock.onMessage(/./, { content: 'from the simulator' })
  await mock.start()
  const [faulty, well, sound] = await Promise.all([1, 2, 3].map(() => startScriptedUpstream()))
  if (faulty === undefined || well === undefined || sound === undefined) throw new Error('no upstream')
  faulty.play(failing('from the first'))
  for (const upstream of [well, sound]) upstream.play(failing('from a spare', false))
  const at = (name: string, url: string) =>
    connectionOf(name, { baseUrl: `${url}/v1`, formats: ['openai-chat'] })
  const draw = drawing(seed)
  const snapshot = memorySnapshot({
    connections: [at('faulty', late ? faulty.url : mock.url), at('well', well.url), at('sound', sound.url)],
    decide: ({ facts }) => allow(plans[facts.seed % plans.length]),
  })
  const gateway = await startGateway({
    ...{ snapshot, random: draw, defaults: { firstTokenMs: 5000 } },
    ...(!breakers && { breakers: { ...breakerRules, failures: 99 } }),
  })
  const counts = { answered: 0, typedErrors: 0, silent: 0 }
  const startMs = performance.now()
  let left = calls
  const worker = async (): Promise<void> => {
    while (left-- > 0) counts[await sendOne(gateway, draw, late)]++
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, worker))
    const seconds = (performance.now() - startMs) / 1000
    await gateway.lastRecord(calls)
    const { records } = gateway
    const attempts = records.reduce((sum, { row }) => sum + row.attempts, 0)
    const misreplayed = records.filter(misreplays).length
    return { calls, ...counts, records: records.length, misreplayed, attempts, seconds }
  } finally {
    await gateway.close()
    await Promise.all([faulty, well, sound].map((upstream) => upstream.close()))
    await mock.stop()
  }
}
