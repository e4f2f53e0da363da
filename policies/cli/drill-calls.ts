import { type DrillFault, drillFaults } from '@signalbox/sdk/contract'

/** Where drills go, and with whose key. */
export interface DrillTarget {
  readonly gateway: string
  readonly key: string
}
/** One synthetic call with a fault in place of its first targets. */
export interface DrillResult {
  readonly fault: DrillFault
  readonly stream: boolean
  /** How many targets failed. */
  readonly targets: number
  /** `held`: another target answered. `fell`: the caller got an error. `unproven`: nothing was there to fail. */
  readonly outcome: 'held' | 'fell' | 'unproven'
  /** Who answered, or was tried last. */
  readonly target: string | null
  readonly status: number
  readonly ms: number
  /** Id of the call's record; null where the gateway made none. */
  readonly decision: string | null
}
/** What the drills of a route came to. */
export interface ScoreCard {
  readonly model: string
  readonly held: number
  readonly of: number
  readonly results: readonly DrillResult[]
}

const timeoutMs = 60_000

function isWhole(text: string, stream: boolean): boolean {
  return stream ? text.includes('data: [DONE]') : text.includes('"choices"')
}

/** Makes one call. @throws Error where the gateway cannot be reached. */
async function drillOnce(
  { gateway, key }: DrillTarget,
  model: string,
  { fault, stream, targets }: Pick<DrillResult, 'fault' | 'stream' | 'targets'>,
): Promise<DrillResult> {
  const startMs = performance.now()
  const response = await fetch(`${gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-signalbox-drill': `${fault}; targets=${targets}`,
    },
    body: JSON.stringify({
      model,
      stream,
      max_completion_tokens: 16,
      messages: [{ role: 'user', content: 'This is a drill. Answer with: ok' }],
    }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await response.text()
  const attempts = Number(response.headers.get('x-signalbox-attempts') ?? 0)
  const isHeld = response.status === 200 && isWhole(text, stream)
  return {
    ...{ fault, stream, targets },
    outcome: !isHeld ? 'fell' : attempts > 1 ? 'held' : 'unproven',
    target: response.headers.get('x-signalbox-target'),
    status: response.status,
    ms: Math.round(performance.now() - startMs),
    decision: response.headers.get('x-signalbox-decision'),
  }
}

/**
 * Drills a route: every fault, plain and streamed, in place of the first target, then of the first two, up to all but
 * the last, so that each fallback target has to answer once for each.
 */
export async function drillRoute(
  target: DrillTarget,
  route: { readonly model: string; readonly targets: number; readonly faults?: readonly DrillFault[] },
  seen: (result: DrillResult) => void = () => {},
): Promise<ScoreCard> {
  const results: DrillResult[] = []
  for (let targets = 1; targets < Math.max(2, route.targets); targets++) {
    for (const fault of route.faults ?? drillFaults) {
      for (const stream of [false, true]) {
        const result = await drillOnce(target, route.model, { fault, stream, targets })
        results.push(result)
        seen(result)
      }
    }
  }
  const held = results.filter(({ outcome }) => outcome === 'held').length
  return { model: route.model, held, of: results.length, results }
}
