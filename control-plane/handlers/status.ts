import type { ReplyOf, statusOperations } from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { loadCurrentDeployments } from '../stores/deployments.ts'
import { loadDocuments, loadRootDocument } from '../stores/documents.ts'
import { type DriftRow, loadDrift } from '../stores/drift.ts'
import { type EnvironmentRow, listEnvironments } from '../stores/environments.ts'
import { findOrganisation } from '../stores/organisation.ts'
import { countOpenRefusedReports } from '../stores/refused-reports.ts'
import { loadSelfChecks, type SelfCheckRow } from '../stores/self-checks.ts'
import { createAuditHandlers } from './audit.ts'
import { type DeploymentView, describeDeployments } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'
import { type GatewayView, loadGatewayViews } from './gateways.ts'
import { freezeOf } from './switches.ts'

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

/** How many of the connected gateways run the newest of each document. */
function convergenceOf(
  newest: Pick<EnvironmentView, 'root' | 'release' | 'state'>,
  gateways: readonly GatewayView[],
): EnvironmentView['convergence'] {
  const connected = gateways.filter((each) => each.connected)
  const running = (kind: 'root' | 'release' | 'state') =>
    connected.filter((each) => each[kind] === newest[kind]).length
  return {
    connected: connected.length,
    ...{ root: running('root'), release: running('release'), state: running('state') },
    rejecting: connected.filter(({ rejections }) => rejections.length > 0).length,
  }
}

/** What is loaded once for all environments. */
interface AllEnvironments {
  readonly gateways: readonly GatewayView[]
  readonly deployments: readonly DeploymentView[]
  readonly selfChecks: readonly SelfCheckRow[]
  readonly drift: readonly DriftRow[]
  readonly root: number
}

function describeSelfCheck(row: SelfCheckRow | undefined): EnvironmentView['selfCheck'] {
  if (row === undefined) return null
  const { organisationId: _, environment: __, ...check } = row
  return check
}

async function loadAll(
  dependencies: Dependencies,
  organisationId: string,
  environment: string | undefined,
): Promise<AllEnvironments> {
  const { db } = dependencies
  const deployments = await loadCurrentDeployments(db, organisationId, environment)
  return {
    gateways: await loadGatewayViews(dependencies, organisationId),
    deployments: await describeDeployments(db, organisationId, deployments),
    selfChecks: await loadSelfChecks(db, organisationId),
    drift: await loadDrift(db, organisationId),
    root: (await loadRootDocument(db, organisationId))?.sequence ?? 0,
  }
}

export function createStatusHandlers(dependencies: Dependencies): Handlers<typeof statusOperations> {
  const { db } = dependencies

  const newestSequence = async (organisationId: string, environment: string, kind: 'release' | 'state') => {
    const [newest] = await loadDocuments(db, { organisationId, environment, kind }, 1)
    return newest?.sequence ?? null
  }
  const describeEnvironment = async (
    organisationId: string,
    place: EnvironmentRow,
    all: AllEnvironments,
  ): Promise<EnvironmentView> => {
    const { name } = place
    const release = await newestSequence(organisationId, name, 'release')
    const state = await newestSequence(organisationId, name, 'state')
    const gateways = all.gateways.filter((each) => each.environment === name && each.revokedMs === null)
    return {
      name,
      release,
      state,
      deployments: all.deployments.filter((each) => each.environment === name),
      gateways,
      converged: isConverged({ release, state }, gateways),
      freeze: freezeOf(place),
      root: all.root,
      convergence: convergenceOf({ root: all.root, release, state }, gateways),
      drift: all.drift.filter((each) => each.environment === name).map(({ environment: _, ...each }) => each),
      selfCheck: describeSelfCheck(all.selfChecks.find((each) => each.environment === name)),
    }
  }

  return {
    async getStatus({ organisationId }, { query }) {
      if (query.environment !== undefined) await requireEnvironment(db, organisationId, query.environment)
      const organisation = await findOrganisation(db, organisationId)
      const environments = await listEnvironments(db, organisationId)
      const all = await loadAll(dependencies, organisationId, query.environment)
      const wanted = environments.filter(
        ({ name }) => query.environment === undefined || name === query.environment,
      )
      const views: EnvironmentView[] = []
      for (const place of wanted) views.push(await describeEnvironment(organisationId, place, all))
      return {
        organisation: { id: organisationId, name: organisation?.name ?? '' },
        software: dependencies.software,
        refusedReports: await countOpenRefusedReports(db, organisationId),
        environments: views,
      }
    },

    ...createAuditHandlers(dependencies),
  }
}
