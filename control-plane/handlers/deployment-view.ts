import type { ReplyOf, versionOperations } from '@signalbox/sdk/contract'
import type { NumberedDeployment } from '../stores/deployments.ts'

export type DeploymentView = ReplyOf<typeof versionOperations.promoteVersion>

/** A deployment as the API shows it. */
export function describeDeployment(row: NumberedDeployment): DeploymentView {
  const { id, environment, workspace, rollbackOf, by, createdMs } = row
  const { candidate, candidateNumber } = row
  return {
    ...{ id, environment, workspace, rollbackOf, by, createdMs },
    stable: { version: row.stableNumber, digest: row.stableDigest },
    candidate:
      candidate === null || candidateNumber === null
        ? null
        : { version: candidateNumber, digest: candidate.digest, ppm: candidate.ppm },
    release: row.releaseSequence,
  }
}
