import { type ApiError, type Client, createClient } from '@signalbox/sdk'
import { createLogger, createSealKeyPair, createSecret } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { expect } from 'vitest'
import { authenticate } from '../../control-plane/authenticate.ts'
import { createAuthorize } from '../../control-plane/authorize.ts'
import { bootstrap } from '../../control-plane/bootstrap.ts'
import { connectDatabase, type Database } from '../../control-plane/db/connect.ts'
import { createPartitions } from '../../control-plane/db/partitions.ts'
import type { Dependencies } from '../../control-plane/dependencies.ts'
import { createGate } from '../../control-plane/gate.ts'
import { createAccessHandlers } from '../../control-plane/handlers/access.ts'
import { createBatchHandlers } from '../../control-plane/handlers/batches.ts'
import { createBudgetHandlers } from '../../control-plane/handlers/budgets.ts'
import { createGatewayHandlers } from '../../control-plane/handlers/gateway.ts'
import { createLimitHandlers } from '../../control-plane/handlers/limits.ts'
import { createMoneyHandlers } from '../../control-plane/handlers/money.ts'
import { createStatusHandlers } from '../../control-plane/handlers/status.ts'
import { createWebhookHandlers } from '../../control-plane/handlers/webhooks.ts'
import { createReadAudit } from '../../control-plane/identity/read-audit.ts'
import { createSignInTools } from '../../control-plane/identity/sign-in-tools.ts'
import { ingestLimits } from '../../control-plane/ingest.ts'
import { createLedger, type Ledger } from '../../control-plane/ledger/ledger.ts'
import { startPublishing } from '../../control-plane/publishing.ts'
import { createSecretBox, type SecretBox } from '../../control-plane/secret-box.ts'
import { type Clock, databaseClock } from '../../control-plane/stores/ledger-book.ts'
import { eventually } from '../support/eventually.ts'
import { serveApp } from './served-app.ts'

/** Access, status and gateways over real HTTP, with a real database; no policies. */
export interface AccessPlane {
  readonly url: string
  readonly db: Database
  readonly organisationId: string
  readonly secrets: SecretBox
  readonly rootToken: string
  /** As the root token. */
  readonly client: Client
  /** Moves the program's clock and, for the ledger, the database's. */
  readonly clock: { offsetMs: number }
  readonly ledger: Ledger
  /** Must run before the end of the test. */
  stop(): Promise<void>
}

export const testSecretKey = 'a secret key for tests, long enough to be taken'

/** Webhooks of tests are on the loopback. */
export const testOutboundRules = { trusted: ['127.0.0.1'] }

export async function startAccessPlane(
  databaseUrl: string,
  options: {
    readonly rootToken?: string
    readonly stateWriter?: Partial<Dependencies['stateWriter']>
    readonly oidc?: Parameters<typeof createSignInTools>[0]['oidc']
  } = {},
): Promise<AccessPlane> {
  const log = createLogger('control-plane', 'silent')
  const { db, close } = connectDatabase(databaseUrl, log)
  const clock = { offsetMs: 0 }
  const nowMs = () => Date.now() + clock.offsetMs
  const secrets = createSecretBox(testSecretKey)
  const rootToken = options.rootToken ?? createSecret('root')
  const environment = 'development'
  const root = { secret: rootToken, configured: false }
  const { organisationId } = await bootstrap({ db, secrets, nowMs, newId, environment, rootToken: root })
  const publishing = await startPublishing({ db, databaseUrl, secrets, nowMs, newId, log })
  const stateWriter = { ...publishing.publisher, ...options.stateWriter }
  const common = { db, log, nowMs, newId, secrets, stateWriter, environment, software: 'test/1' }
  const gate = createGate(ingestLimits)
  const ledgerClock: Clock = async (q) => (await databaseClock(q)) + clock.offsetMs
  const ledger = createLedger({ db, clock: ledgerClock })
  const signIn = createSignInTools({ secure: false, oidc: options.oidc, nowMs })
  const { url, app } = await serveApp(
    {
      ...createAccessHandlers(common, signIn),
      ...createStatusHandlers(common),
      ...createBudgetHandlers({ ...common, clock: ledgerClock, ledger }),
      ...createLimitHandlers(common),
      ...createMoneyHandlers({ ledger, db, clock: ledgerClock }),
      ...createBatchHandlers({ db, clock: ledgerClock }),
      ...createWebhookHandlers({ ...common, rules: testOutboundRules }),
      ...createGatewayHandlers({ ...common, ...publishing, partitions: createPartitions(db), gate }),
    },
    {
      authenticate: (request) => authenticate({ ...common, cookies: signIn.cookies }, request),
      authorize: createAuthorize(common),
      auditRead: createReadAudit(common),
      nowMs,
    },
  )
  const client = createClient({ url, token: rootToken })
  return {
    ...{ url, db, organisationId, secrets, rootToken, client, clock, ledger },
    async stop() {
      app.drain()
      await publishing.close()
      await close()
    },
  }
}

/** The refusal that a call of the client ends with. */
export async function refusalOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: ApiError) => thrown,
  )
  expect(error, 'the call was not refused').toBeDefined()
  return error as ApiError
}

/** A gateway that holds an event stream open and acknowledges what it is asked to. */
export async function connectGateway(plane: AccessPlane, environment = 'development') {
  const { id, token, name } = await plane.client.enrollGateway({ environment })
  const { publicKey } = await createSealKeyPair()
  const incarnation = newId()
  const send = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${plane.url}/v1/gateway${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
  await send('/hello', { incarnation, publicKey, software: 'gateway/1', url: 'http://127.0.0.1:8787' })
  const ending = new AbortController()
  const stream = await fetch(`${plane.url}/v1/gateway/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal: ending.signal,
  })
  return {
    ...{ id, name, token, incarnation },
    ack: (kind: string, sequence: number, more: object = {}) =>
      send('/acks', { incarnation, kind, sequence, result: 'active', ...more }),
    /** Resolves when it no longer counts as connected, some seconds of the plane's clock later. */
    async close() {
      ending.abort()
      await stream.text().catch(() => undefined)
      await eventually(async () => {
        plane.clock.offsetMs += 1000
        const { items } = await plane.client.listGateways()
        expect(items.find((each) => each.id === id)?.connected).toBe(false)
      })
    },
  }
}
