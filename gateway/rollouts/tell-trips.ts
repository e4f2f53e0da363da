import { ControlPlaneError } from '../documents/control-plane-error.ts'
import type { ControlPlaneLink } from '../documents/control-plane-link.ts'
import type { Tripwires } from './tripwires.ts'

/** How often the control plane is told of what was stopped here, until it has heard. */
const tellMs = 1000

export interface TellOptions {
  readonly link: Pick<ControlPlaneLink, 'trip'>
  readonly incarnation: string
  readonly tripwires: Tripwires
}

async function tell({ link, incarnation, tripwires }: TellOptions, signal: AbortSignal): Promise<void> {
  for (const trip of tripwires.untold()) {
    try {
      await link.trip({ incarnation, trip }, signal)
    } catch (error) {
      // What it will never take is not said for ever; what did not get through is said again.
      if (!(error instanceof ControlPlaneError) || error.status < 400 || error.status >= 500) return
    }
    tripwires.noteTold(trip)
  }
}

/** Tells the control plane of candidates that this gateway has stopped; gives what ends it. */
export function startTellingTrips(options: TellOptions): () => void {
  const ending = new AbortController()
  let isUnderWay = false
  const timer = setInterval(() => {
    if (isUnderWay) return
    isUnderWay = true
    tell(options, ending.signal).finally(() => {
      isUnderWay = false
    })
  }, tellMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    ending.abort()
  }
}
