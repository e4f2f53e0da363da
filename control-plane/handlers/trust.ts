import {
  type Envelope,
  Refusal,
  type ReplyOf,
  type RootDocument,
  type trustOperations,
} from '@signalbox/sdk/contract'
import { digestOf, encodeTrustRoot, type SigningKey } from '@signalbox/sdk/node'
import type { ChangeFeed } from '../db/change-feed.ts'
import type { Transaction } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import { missingSignatures, nextRoot, readRoot, signRoot, type TrustChange } from '../documents/next-root.ts'
import type { Publisher } from '../documents/publisher.ts'
import { buildRelease } from '../documents/release.ts'
import { loadRoot, unsignedVersion } from '../documents/required-authors.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { signingKeyContext } from '../secret-contexts.ts'
import { withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import {
  insertRootDocument,
  insertSigningKeys,
  listSigningKeys,
  lockBootstrap,
  retireSigningKeys,
} from '../stores/organisation.ts'

type TrustHandlers = Handlers<typeof trustOperations>
type Changed = ReplyOf<typeof trustOperations.changeTrust>
export interface TrustTools extends Dependencies {
  readonly changes: ChangeFeed
  readonly publisher: Publisher
}
type HeldKey = SigningKey & { readonly role: 'root' | 'release' | 'author' }

/** Keys whose private parts are here, retired ones apart. */
async function loadHeld(
  { secrets }: TrustTools,
  tx: Transaction,
  organisationId: string,
): Promise<HeldKey[]> {
  const rows = await listSigningKeys(tx, organisationId)
  return rows.flatMap(({ keyId, role, publicKey, privateKey, retiredMs }) =>
    retiredMs === null
      ? [
          {
            keyId,
            role,
            publicKey,
            privateKey: secrets.decrypt(privateKey, signingKeyContext(organisationId, keyId)),
          },
        ]
      : [],
  )
}

const idsOf = (keys: readonly SigningKey[]): ReadonlySet<string> => new Set(keys.map(({ keyId }) => keyId))

/** @throws Refusal where an environment runs what its authors have not signed, and would have to. */
async function checkDeployed(tx: Transaction, organisationId: string, root: RootDocument): Promise<void> {
  for (const environment of root.authorsIn ?? []) {
    const release = await buildRelease(tx, { organisationId, environment })
    const unsigned = release === undefined ? undefined : unsignedVersion(release.versions, environment, root)
    if (unsigned !== undefined) {
      throw new Refusal('conflict', {
        message: `${unsigned}, and it runs there: push and deploy it signed first.`,
      })
    }
  }
}

/** Keeps a root that is signed well enough, and lets go of keys that it no longer names. */
async function keepRoot(
  tools: TrustTools,
  tx: Transaction,
  { root, envelope, held }: { root: RootDocument; envelope: Envelope; held: readonly HeldKey[] },
): Promise<void> {
  const { organisationId, sequence } = root
  await checkDeployed(tx, organisationId, root)
  const text = JSON.stringify(envelope)
  const createdMs = tools.nowMs()
  await insertRootDocument(tx, {
    organisationId,
    sequence,
    envelope: text,
    digest: digestOf(text),
    createdMs,
  })
  const gone = held.filter(({ keyId }) => root.keys[keyId] === undefined).map(({ keyId }) => keyId)
  await retireSigningKeys(tx, organisationId, { keyIds: gone, retiredMs: createdMs })
  await tools.changes.announce(tx, {
    type: 'document',
    organisationId,
    environment: '',
    kind: 'root',
    sequence,
  })
}

/** What a root says, as it stands in the audit log. */
const detailOf = ({ sequence, roles, authorsIn = [] }: RootDocument) => ({ sequence, roles, authorsIn })

/** Everything is signed anew by the keys of the new root, and gateways are waited for. */
async function publishAll(tools: TrustTools, context: RequestContext, root: RootDocument) {
  const { organisationId } = context
  const { sequence } = root
  tools.changes.emit({ type: 'document', organisationId, environment: '', kind: 'root', sequence })
  return await publishAndAwait(tools.stateWriter, context, async () => {
    const environments = await listEnvironments(tools.db, organisationId)
    const made = await Promise.all(
      environments.map(async ({ name }) => [
        await tools.publisher.publishState(organisationId, name),
        await tools.publisher.publishRelease(organisationId, name),
      ]),
    )
    return made.flat().flatMap((each) => each ?? [])
  })
}

const isMet = ({ before, after }: Changed['missing']): boolean => before === 0 && after === 0

async function makeRoot(
  tools: TrustTools,
  tx: Transaction,
  organisationId: string,
  change: TrustChange,
): Promise<{ root: RootDocument; envelope: Envelope; missing: Changed['missing'] }> {
  const { root: current } = await loadRoot(tx, organisationId)
  if (change.sequence !== undefined && change.sequence !== current.sequence) {
    throw new Refusal('conflict', {
      message: `The root was changed by somebody else: this change was made on ${change.sequence}, it is at ${current.sequence}.`,
      param: 'sequence',
    })
  }
  const held = await loadHeld(tools, tx, organisationId)
  const { next, made } = nextRoot(current, change, idsOf(held))
  const createdMs = tools.nowMs()
  const rows = made.map(({ role, key }) => ({
    ...{ organisationId, keyId: key.keyId, role, publicKey: key.publicKey, createdMs, retiredMs: null },
    privateKey: tools.secrets.encrypt(key.privateKey, signingKeyContext(organisationId, key.keyId)),
  }))
  if (rows.length > 0) await insertSigningKeys(tx, rows)
  const own = [...held, ...made.map(({ role, key }) => ({ role, ...key }))]
  const envelope = signRoot(
    next,
    own.filter(({ role }) => role === 'root'),
  )
  const missing = missingSignatures(envelope, current, next)
  if (isMet(missing)) await keepRoot(tools, tx, { root: next, envelope, held: own })
  return { root: next, envelope, missing }
}

function changeTrust(tools: TrustTools): TrustHandlers['changeTrust'] {
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'changeTrust' }
    const made = await withAudit(tools, audit, async (tx) => {
      await lockBootstrap(tx)
      const result = await makeRoot(tools, tx, organisationId, body)
      const { root, missing } = result
      const detail = { ...detailOf(root), published: isMet(missing) }
      return { result, audit: { object: `root ${root.sequence}`, detail } }
    })
    const { envelope, missing } = made
    if (!isMet(missing)) return { published: false, envelope, missing }
    return { published: true, envelope, missing, ...(await publishAll(tools, context, made.root)) }
  }
}

function publishTrust(tools: TrustTools): TrustHandlers['publishTrust'] {
  return async (context, { body: { envelope } }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'publishTrust' }
    const made = await withAudit(tools, audit, async (tx) => {
      await lockBootstrap(tx)
      const { root: current } = await loadRoot(tx, organisationId)
      const held = await loadHeld(tools, tx, organisationId)
      const root = readRoot(envelope, current, idsOf(held))
      const missing = missingSignatures(envelope, current, root)
      if (!isMet(missing)) return { result: { root, missing }, audit: null }
      await keepRoot(tools, tx, { root, envelope, held })
      return { result: { root, missing }, audit: { object: `root ${root.sequence}`, detail: detailOf(root) } }
    })
    const { missing } = made
    if (!isMet(missing)) return { published: false, envelope, missing }
    return { published: true, envelope, missing, ...(await publishAll(tools, context, made.root)) }
  }
}

/** Whose signatures count: the root document and its successors. */
export function createTrustHandlers(tools: TrustTools): TrustHandlers {
  return {
    async getTrust({ organisationId }) {
      const { root, envelope } = await loadRoot(tools.db, organisationId)
      const keys = await listSigningKeys(tools.db, organisationId)
      const held = keys.filter(({ keyId, retiredMs }) => retiredMs === null && root.keys[keyId] !== undefined)
      return {
        sequence: root.sequence,
        root,
        envelope,
        held: held.map(({ keyId }) => keyId),
        trustRoot: encodeTrustRoot(envelope),
      }
    },
    changeTrust: changeTrust(tools),
    publishTrust: publishTrust(tools),
  }
}
