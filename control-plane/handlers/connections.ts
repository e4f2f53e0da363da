import {
  type accessOperations,
  type BodyOf,
  type CompiledWorkspace,
  Refusal,
  type ReplyOf,
} from '@signalbox/sdk/contract'
import {
  type ConnectionState,
  combineStates,
  type DeclaredConnection,
  declaredConnections,
  secretNameFor,
} from '../connections.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { connectionSecretContext } from '../secret-contexts.ts'
import { withAudit } from '../stores/audit.ts'
import { listSecretTimes, storeSecret } from '../stores/connections.ts'
import { loadCurrentDeployments } from '../stores/deployments.ts'
import { isConnected, listGatewayDocuments, listGateways } from '../stores/gateways.ts'
import { findVersionByDigest } from '../stores/versions.ts'
import { requireEnvironment } from './environments.ts'

type ConnectionHandlers = Pick<Handlers<typeof accessOperations>, 'listConnections' | 'setConnection'>
type ConnectionView = ReplyOf<typeof accessOperations.setConnection>
/** What an environment's connections are made of. */
interface ConnectionFacts {
  readonly environment: string
  readonly declared: ReadonlyMap<string, DeclaredConnection>
  /** By secret name. */
  readonly secretTimes: ReadonlyMap<string, number>
  readonly states: (name: string) => readonly ConnectionState[]
}

/** What each connected gateway last said of its connections. */
async function loadStates(
  { db, nowMs }: Dependencies,
  organisationId: string,
  environment: string,
): Promise<ConnectionFacts['states']> {
  const gateways = await listGateways(db, organisationId, environment)
  const connected = gateways.filter((each) => isConnected(each, nowMs()))
  const documents = await listGatewayDocuments(
    db,
    connected.map((each) => each.id),
  )
  const reports = connected.flatMap((gateway) => {
    const [newest] = documents
      .filter((each) => each.gatewayId === gateway.id && each.incarnation === gateway.incarnation)
      .filter((each) => each.connections !== null)
      .sort((a, b) => b.updatedMs - a.updatedMs)
    return newest?.connections == null ? [] : [newest.connections]
  })
  return (name) => reports.flatMap((report) => report[name] ?? [])
}

async function loadFacts(
  dependencies: Dependencies,
  organisationId: string,
  environment: string,
): Promise<ConnectionFacts> {
  const { db } = dependencies
  await requireEnvironment(db, organisationId, environment)
  const workspaces: CompiledWorkspace[] = []
  for (const { stableDigest } of await loadCurrentDeployments(db, organisationId, environment)) {
    const version = await findVersionByDigest(db, organisationId, stableDigest)
    if (version !== undefined) workspaces.push(version.compiled)
  }
  return {
    environment,
    declared: declaredConnections(workspaces, environment),
    secretTimes: await listSecretTimes(db, organisationId, environment),
    states: await loadStates(dependencies, organisationId, environment),
  }
}

function describeConnection(
  name: string,
  connection: DeclaredConnection,
  facts: ConnectionFacts,
): ConnectionView {
  const secretName = secretNameFor(name, connection)
  const secretSetMs = facts.secretTimes.get(secretName) ?? null
  const reference = secretSetMs === null ? connection.credential : `secret:${secretName}`
  return {
    name,
    provider: connection.provider,
    environment: facts.environment,
    source: connection.source,
    baseUrl: connection.baseUrl ?? null,
    credential: reference ?? null,
    locality: connection.locality ?? 'cloud',
    status: combineStates(facts.states(name)),
    secretSetMs,
  }
}

/** What is to be stored under which name. @throws Refusal `not_found`, `invalid_request`. */
function readSecret(
  name: string,
  connection: DeclaredConnection | undefined,
  body: BodyOf<typeof accessOperations.setConnection>,
): { secretName: string; secret: string } {
  if (connection === undefined) {
    throw new Refusal('not_found', { message: `There is no connection "${name}" in this environment.` })
  }
  const secretName = secretNameFor(name, connection)
  if (body.credential !== undefined && body.credential !== `secret:${secretName}`) {
    const message = `Here the secret itself is stored, as secret:${secretName}; other references are declared in signalbox.yaml.`
    throw new Refusal('invalid_request', { message, param: 'credential' })
  }
  if (body.secret === undefined || body.secret.trim() === '') {
    throw new Refusal('invalid_request', { message: 'A secret is needed.', param: 'secret' })
  }
  return { secretName, secret: body.secret.trim() }
}

export function createConnectionHandlers(dependencies: Dependencies): ConnectionHandlers {
  const { stateWriter } = dependencies
  return {
    async listConnections({ organisationId }, { query }) {
      const facts = await loadFacts(
        dependencies,
        organisationId,
        query.environment ?? dependencies.environment,
      )
      const items = [...facts.declared].map(([name, connection]) =>
        describeConnection(name, connection, facts),
      )
      return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) }
    },

    async setConnection(context, { params, body }) {
      const { organisationId, actor } = context
      const environment = body.environment ?? dependencies.environment
      const before = await loadFacts(dependencies, organisationId, environment)
      const { secretName, secret } = readSecret(params.name, before.declared.get(params.name), body)
      const box = connectionSecretContext(organisationId, environment, secretName)
      const row = {
        organisationId,
        environment,
        name: secretName,
        value: dependencies.secrets.encrypt(secret, box),
        updatedMs: dependencies.nowMs(),
        updatedBy: actor,
      }
      await withAudit(
        dependencies,
        { organisationId, actor, action: 'setConnection' },
        async (transaction) => {
          await storeSecret(transaction, row)
          const detail = { environment, credential: `secret:${secretName}` }
          return { result: undefined, audit: { object: `connection ${params.name}`, detail } }
        },
      )
      const pending = await publishAndAwait(stateWriter, context, async () => [
        await stateWriter.publishCredentials(organisationId, environment),
      ])
      const after = await loadFacts(dependencies, organisationId, environment)
      const connection = after.declared.get(params.name)
      if (connection === undefined) throw new Refusal('not_found')
      return { ...describeConnection(params.name, connection, after), ...pending }
    },
  }
}
