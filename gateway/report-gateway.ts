import type { GatewayReport } from '@signalbox/sdk/contract'
import type { ControlPlaneLink } from './documents/control-plane-link.ts'
import type { OpenShared } from './redis/open-shared.ts'

/** How often the control plane hears of this gateway. */
const reportMs = 5000

/** What a gateway says of itself now. */
export function gatewayReport({ limits, answers, sharedStore }: OpenShared, nowMs: number): GatewayReport {
  const { hits, misses, savedNanoUsd } = answers.counts
  const { requests, tokens, concurrency } = limits.counts.refused
  return {
    sharedStore: sharedStore === undefined ? 'none' : sharedStore.isUp ? 'connected' : 'away',
    cache: { hits, misses, savedNanoUsd: String(savedNanoUsd), bytes: answers.memory.bytes },
    limits: { refused: requests + tokens + concurrency, wouldRefuse: limits.counts.wouldRefuse },
    timeMs: Math.floor(nowMs),
  }
}

export interface ReportOptions {
  readonly link: ControlPlaneLink
  readonly incarnation: string
  readonly shared: OpenShared
  readonly clock: () => number
}

/** Tells the control plane now and then how this gateway is, where there is something new; gives what ends it. */
export function startReports({ link, incarnation, shared, clock }: ReportOptions): () => void {
  const ending = new AbortController()
  let last = ''
  let isUnderWay = false
  const timer = setInterval(() => {
    if (isUnderWay) return
    const report = gatewayReport(shared, clock())
    const news = JSON.stringify({ ...report, timeMs: 0 })
    if (news === last) return
    isUnderWay = true
    link
      .report({ incarnation, report }, ending.signal)
      .then(
        () => {
          last = news
        },
        // It is said again with the next.
        () => {},
      )
      .finally(() => {
        isUnderWay = false
      })
  }, reportMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    ending.abort()
  }
}
