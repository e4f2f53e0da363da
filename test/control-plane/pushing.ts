import { ApiError } from '@signalbox/sdk'
import type { Envelope, ReleaseDocument } from '@signalbox/sdk/contract'
import { decodeTrustRoot } from '@signalbox/sdk/node'
import { openDocument } from './documents/test-publishing.ts'
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts'
import { enrolGateway, type TestGateway } from './test-gateway.ts'
import { workspaceFiles } from './workspace-files.ts'

export const workspaceFile = workspaceFiles().find(({ path }) => path === 'signalbox.yaml')?.text ?? ''

/** A workspace that differs from the others by a comment. */
export const variant = (name: string) => workspaceFiles({ 'signalbox.yaml': `${workspaceFile}# ${name}\n` })

/** What the control plane said instead of doing it. */
export async function refusalOf(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ApiError)) throw new Error('the request was not refused', { cause: error })
  return error
}

/** The release that a gateway is offered, verified. */
export async function readRelease(via: TestGateway): Promise<ReleaseDocument> {
  const response = await via.document('release')
  const { envelope } = decodeTrustRoot(via.trustRoot)
  return openDocument((await response.json()) as Envelope, 'release', envelope) as ReleaseDocument
}

export interface Pushing {
  readonly controlPlane: TestControlPlane
  readonly client: TestControlPlane['client']
  /** Of `development`. */
  readonly gateway: TestGateway
  pushVariant(name: string, environment?: string): ReturnType<TestControlPlane['client']['pushVersion']>
}

/** A control plane to push to, with one gateway. */
export async function startPushing(databaseUrl: string): Promise<Pushing> {
  const controlPlane = await startTestControlPlane(databaseUrl)
  const { client } = controlPlane
  return {
    controlPlane,
    client,
    gateway: await enrolGateway(controlPlane, 'development'),
    pushVariant: (name, environment) =>
      client.pushVersion({ files: variant(name), ...(environment === undefined ? {} : { environment }) }),
  }
}
