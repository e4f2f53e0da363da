import {
  type DrillFault,
  type DrillResult,
  drillFaults,
  type GoldenPrompt,
  type ScoreCard,
} from '@signalbox/sdk/contract'
import { unmetExpectations } from './unmet-expectations.ts'

/** Where drills go, and with whose key. */
export interface DrillTarget {
  readonly gateway: string
  readonly key: string
}
/** What is drilled of a route. */
export interface DrillPlan {
  readonly model: string
  readonly targets: number
  readonly faults?: readonly DrillFault[] | undefined
  /** Asked in turn; one that expects nothing but an answer where left out. */
  readonly golden?: readonly GoldenPrompt[] | undefined
  /** No call is begun once this is spent. */
  readonly costNanoUsdMax?: bigint | undefined
}
interface Made {
  readonly result: DrillResult
  readonly costNanoUsd: bigint
}

const timeoutMs = 60_000
const outputTokensStandard = 64
const plain = {
  messages: [{ role: 'user', content: 'This is a drill. Answer with: ok' }],
  outputTokensMax: 16,
} as const

function jsonOf(text: string): {
  choices?: { message?: { content?: unknown }; delta?: { content?: unknown } }[]
} {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

/** The text of a whole answer; undefined where it is none. */
function answerOf(body: string, stream: boolean): string | undefined {
  if (!stream) {
    const choice = jsonOf(body).choices?.[0]
    return choice === undefined ? undefined : String(choice.message?.content ?? '')
  }
  const data = body.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
  if (!data.includes('[DONE]')) return undefined
  return data.map((each) => String(jsonOf(each).choices?.[0]?.delta?.content ?? '')).join('')
}

/** Nano-dollars of `0.00042`; 0 where the price is not known. */
function nanoOf(usd: string | undefined): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(usd ?? '') ?? []
  return whole === '' ? 0n : BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/** Makes one call. @throws Error where the gateway cannot be reached. */
async function drillOnce(
  { gateway, key }: DrillTarget,
  model: string,
  {
    golden,
    ...drill
  }: Pick<DrillResult, 'fault' | 'stream' | 'targets'> & { golden: GoldenPrompt | undefined },
): Promise<Made> {
  const startMs = performance.now()
  const { fault, stream, targets } = drill
  const asked = golden ?? plain
  const response = await fetch(`${gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-signalbox-drill': `${fault}; targets=${targets}`,
      'x-signalbox-cache': 'off',
      'x-signalbox-trailer': 'cost',
    },
    body: JSON.stringify({
      ...{ model, stream, messages: asked.messages },
      max_completion_tokens: asked.outputTokensMax ?? outputTokensStandard,
    }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const body = await response.text()
  const attempts = Number(response.headers.get('x-signalbox-attempts') ?? 0)
  const answer = response.status === 200 ? answerOf(body, stream) : undefined
  const unmet = answer === undefined || golden === undefined ? [] : unmetExpectations(answer, golden)
  const usd = response.headers.get('x-signalbox-cost-usd') ?? /^: signalbox cost=([\d.]+)$/m.exec(body)?.[1]
  const held = attempts > 1 ? 'held' : 'unproven'
  return {
    costNanoUsd: nanoOf(usd),
    result: {
      ...drill,
      outcome: answer === undefined ? 'fell' : unmet.length > 0 ? 'wrong' : held,
      ...(golden !== undefined && { golden: golden.name }),
      ...(unmet.length > 0 && { unmet }),
      target: response.headers.get('x-signalbox-target'),
      status: response.status,
      ms: Math.round(performance.now() - startMs),
      decision: response.headers.get('x-signalbox-decision'),
    },
  }
}

/** Every fault, plain and streamed, in place of the first target, then of the first two, up to all but the last. */
function* drillsOf({ targets, faults = drillFaults }: DrillPlan) {
  for (let failing = 1; failing < Math.max(2, targets); failing++) {
    for (const fault of faults) for (const stream of [false, true]) yield { fault, stream, targets: failing }
  }
}

/**
 * Drills a route, so that each fallback target has to answer once for each fault, and with golden prompts has to give
 * the right answer. Stops where it has cost what it may; the last call may go over that.
 * @throws Error where the gateway cannot be reached.
 */
export async function drillRoute(
  target: DrillTarget,
  plan: DrillPlan,
  seen: (result: DrillResult) => void = () => {},
): Promise<ScoreCard> {
  const { model, golden = [], costNanoUsdMax } = plan
  const wanted = [...drillsOf(plan)]
  const results: DrillResult[] = []
  let costNanoUsd = 0n
  for (const [at, drill] of wanted.entries()) {
    if (costNanoUsdMax !== undefined && costNanoUsd >= costNanoUsdMax) break
    const made = await drillOnce(target, model, { ...drill, golden: golden[at % Math.max(1, golden.length)] })
    costNanoUsd += made.costNanoUsd
    results.push(made.result)
    seen(made.result)
  }
  const held = results.filter(({ outcome }) => outcome === 'held').length
  return {
    ...{ model, held, of: wanted.length, costNanoUsd: String(costNanoUsd), results },
    ...(results.length < wanted.length && { stopped: 'cost' as const }),
  }
}
