import type { WatchTimes } from './watch-control-plane.ts'

/** How long and how often a gateway waits where it follows documents. */
export interface DocumentTimes extends WatchTimes {
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** How long polls stand in for an event stream that does not get through. */
  readonly pollsForMs: number
  /** How often credential files are read again and rejected documents tried again. */
  readonly maintenanceMs: number
  /** How long readiness waits for the first word of the control plane, where the disk could serve at once. */
  readonly contactMsMax: number
}
export const standardDocumentTimes: DocumentTimes = {
  heldMsMin: 1000,
  pollMs: 20_000,
  backoffBaseMs: 250,
  backoffMaxMs: 15_000,
  pollsForMs: 300_000,
  maintenanceMs: 30_000,
  contactMsMax: 2000,
}
