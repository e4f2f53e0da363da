import type { ReplyOf, statusOperations } from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { loadCurrentDeployments, type NumberedDeployment } from '../stores/deployments.ts'
import { loadDocuments } from '../stores/documents.ts'
import { listEnvironments } from '../stores/environments.ts'
import { findOrganisation } from '../stores/organisation.ts'
import { loadSelfChecks, type SelfCheckRow } from '../stores/self-checks.ts'
import { createAuditHandlers } from './audit.ts'
import { describeDeployment } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'
import { type GatewayView, loadGatewayViews } from './gateways.ts'

type EnvironmentView = ReplyOf<typeof statusOperations.getStatus>['environments'][number]

/** Whether every connected gateway runs the newest of both documents. */
function isConverged(
  newest: { readonly release: number | null; readonly state: number | null },
  gateways: readonly GatewayView[],
): boolean {
  return gateways
    .filter((each) => each.connected)
    .every((each) => each.release === newest.release && each.state === newest.state)
}

/** What is loaded once for all environments. */
interface AllEnvironments {
  readonly gateways: readonly GatewayView[]
  readonly deployments: readonly NumberedDeployment[]
  readonly selfChecks: readonly SelfCheckRow[]
}

function describeSelfCheck(row: SelfCheckRow | undefined): EnvironmentView['selfCheck'] {
  if (row === undefined) return null
  const { organisationId: _, environment: __, ...check } = row
  return check
}

export function createStatusHandlers(dependencies: Dependencies): Handlers<typeof statusOperations> {
  const { db } = dependencies

  const newestSequence = async (organisationId: string, environment: string, kind: 'release' | 'state') => {
    const [newest] = await loadDocuments(db, { organisationId, environment, kind }, 1)
    return newest?.sequence ?? null
  }
  const describeEnvironment = async (
    organisationId: string,
    name: string,
    all: AllEnvironments,
  ): Promise<EnvironmentView> => {
    const release = await newestSequence(organisationId, name, 'release')
    const state = await newestSequence(organisationId, name, 'state')
    const gateways = all.gateways.filter((each) => each.environment === name && each.revokedMs === null)
    return {
      name,
      release,
      state,
      deployments: all.deployments.filter((each) => each.environment === name).map(describeDeployment),
      gateways,
      converged: isConverged({ release, state }, gateways),
      selfCheck: describeSelfCheck(all.selfChecks.find((each) => each.environment === name)),
    }
  }

  return {
    async getStatus({ organisationId }, { query }) {
      if (query.environment !== undefined) await requireEnvironment(db, organisationId, query.environment)
      const organisation = await findOrganisation(db, organisationId)
      const environments = await listEnvironments(db, organisationId)
      const all = {
        gateways: await loadGatewayViews(dependencies, organisationId),
        deployments: await loadCurrentDeployments(db, organisationId, query.environment),
        selfChecks: await loadSelfChecks(db, organisationId),
      }
      const wanted = environments.filter(
        ({ name }) => query.environment === undefined || name === query.environment,
      )
      const views: EnvironmentView[] = []
      for (const { name } of wanted) views.push(await describeEnvironment(organisationId, name, all))
      return {
        organisation: { id: organisationId, name: organisation?.name ?? '' },
        software: dependencies.software,
        environments: views,
      }
    },

    ...createAuditHandlers(dependencies),
  }
}
