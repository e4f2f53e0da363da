import { type DetectorId, type DetectorSignals, type Facts, sensitivityLabels } from '@signalbox/sdk/contract'

type Sensitivity = NonNullable<Facts['data']['sensitivity']>

/** Of a call that says nothing of itself and in which nothing was found. */
const defaultRank = 1
const highestRank = sensitivityLabels.length - 1
const restrictedRank = 3
const confidentialRank = 2
/** Personal data that does harm by itself where it gets out. */
const restricted: ReadonlySet<string> = new Set(['creditCard', 'dateOfBirth', 'iban', 'nationalId', 'usSsn'])
/** What a detector that failed could have found. */
const rankOfFailure: Partial<Record<DetectorId, number>> = { pii: restrictedRank, secrets: highestRank }

/** Rank of a caller's claim. A word that is no label of ours counts as the highest: it must have been meant somehow. */
function rankOfClaim(claim: string | number | boolean | undefined): number | undefined {
  if (claim === undefined) return undefined
  const labels: readonly unknown[] = sensitivityLabels
  const rank = typeof claim === 'number' ? claim : labels.indexOf(claim)
  return Number.isInteger(rank) && rank >= 0 && rank <= highestRank ? rank : highestRank
}

function rankOfSignals({ pii, secrets }: DetectorSignals): number {
  if ((secrets?.hits ?? 0) > 0) return highestRank
  if (pii === undefined || pii.hits === 0) return 0
  return pii.kinds.some((kind) => restricted.has(kind)) ? restrictedRank : confidentialRank
}

/**
 * How sensitive a call is: the highest of what the caller claims and what detectors found. A claim can raise the rank,
 * never lower it, and a detector that failed counts as if it had found the worst.
 */
export function sensitivityOf(
  claim: string | number | boolean | undefined,
  signals: DetectorSignals,
  errors: readonly DetectorId[],
): Sensitivity {
  const claimed = rankOfClaim(claim)
  const failed = Math.max(0, ...errors.map((id) => rankOfFailure[id] ?? 0))
  const found = Math.max(failed, rankOfSignals(signals))
  const base = claimed ?? defaultRank
  const rank = Math.max(base, found)
  const source = found > base ? 'detector' : claimed === undefined ? 'default' : 'claim'
  return { label: sensitivityLabels[rank] ?? '', rank, source }
}
