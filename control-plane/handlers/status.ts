import type { ReplyOf, statusOperations } from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { listAuditRows } from '../stores/audit.ts'
import { loadCurrentDeployments, type NumberedDeployment } from '../stores/deployments.ts'
import { loadDocuments } from '../stores/documents.ts'
import { listEnvironments } from '../stores/environments.ts'
import { findOrganisation } from '../stores/organisation.ts'
import { describeDeployment } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'
import { type GatewayView, loadGatewayViews } from './gateways.ts'

type EnvironmentView = ReplyOf<typeof statusOperations.getStatus>['environments'][number]
const auditRowsDefault = 100

/** Whether every connected gateway runs the newest of both documents. */
function isConverged(
  newest: { readonly release: number | null; readonly state: number | null },
  gateways: readonly GatewayView[],
): boolean {
  return gateways
    .filter((each) => each.connected)
    .every((each) => each.release === newest.release && each.state === newest.state)
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
    all: { readonly gateways: readonly GatewayView[]; readonly deployments: readonly NumberedDeployment[] },
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

    async listAudit({ organisationId }, { query }) {
      const { before, limit = auditRowsDefault } = query
      const rows = await listAuditRows(db, organisationId, { before, limit })
      return {
        items: rows.map(({ sequence, timeMs, actor, action, object, detail, previousHash, hash }) => ({
          ...{ sequence, timeMs, actor, action, object, detail, previousHash, hash },
        })),
      }
    },
  }
}
