import type { Logger } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { BreakerKeeper } from './breaker-keeper.ts'
import { HealthBoard } from './health-board.ts'
import { createProbe } from './probe-target.ts'

/** What is seen of targets, and who looks after those that do not answer. */
export function openHealth(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  upstream: Upstream,
): { readonly health: HealthBoard; readonly breakers: BreakerKeeper } {
  const now = (): number => clock.nowMs()
  const health: HealthBoard = new HealthBoard({
    clock: now,
    onOpen: ({ shownName }) =>
      log.warn({ target: shownName }, `${shownName} does not answer: it gets no calls`),
    onTrouble: () => breakers.wake(),
  })
  const breakers = new BreakerKeeper({ board: health, clock: now, probe: createProbe(upstream, now) })
  return { health, breakers }
}
