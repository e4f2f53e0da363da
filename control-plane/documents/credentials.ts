import type { CredentialDocument } from '@signalbox/sdk/contract'
import { digestOfJson, seal } from '@signalbox/sdk/node'
import type { Transaction } from '../db/connect.ts'
import type { SecretBox } from '../secret-box.ts'
import { connectionSecretContext } from '../secret-contexts.ts'
import type { Publication } from '../state-writer.ts'
import { lockDocuments } from '../stores/documents.ts'
import { loadCredentialRecipients, loadSecrets, storeCredentials } from '../stores/gateway-sessions.ts'
import type { Place, PublisherTools } from './publisher.ts'

/** The secrets of an environment, ready to be sealed. */
interface Secrets {
  /** JSON of `{ [name]: value }`. */
  readonly plaintext: string
  /** Over the secrets as they are stored, encrypted. */
  readonly contentDigest: string
  readonly count: number
}

async function openSecrets(tx: Transaction, place: Place, secrets: SecretBox): Promise<Secrets> {
  const { organisationId, environment } = place
  const stored = await loadSecrets(tx, place)
  const opened = stored.map(({ name, value }) => [
    name,
    secrets.decrypt(value, connectionSecretContext(organisationId, environment, name)),
  ])
  return {
    plaintext: JSON.stringify(Object.fromEntries(opened)),
    contentDigest: digestOfJson(stored),
    count: stored.length,
  }
}

async function sealTo(
  tx: Transaction,
  recipient: { readonly gatewayId: string; readonly publicKey: string },
  document: Place & { readonly sequence: number; readonly secrets: Secrets; readonly nowMs: number },
): Promise<void> {
  const { organisationId, environment, sequence, secrets, nowMs } = document
  const body: CredentialDocument = {
    type: 'credentials/1',
    organisationId,
    environment,
    sequence,
    recipient: recipient.publicKey,
    ...(await seal(recipient.publicKey, secrets.plaintext)),
  }
  await storeCredentials(tx, {
    organisationId,
    gatewayId: recipient.gatewayId,
    environment,
    sequence,
    recipient: recipient.publicKey,
    body: JSON.stringify(body),
    secrets: secrets.count,
    contentDigest: secrets.contentDigest,
    createdMs: nowMs,
  })
}

/**
 * Seals the secrets of an environment to each of its gateways that has said hello. A gateway gets a new document only
 * where the secrets or its key are others; all new ones of one run have the same sequence. Where there are no secrets
 * the document is empty, so that every gateway always has one.
 */
export async function sealCredentials(tools: PublisherTools, place: Place): Promise<Publication> {
  const { sequence, change } = await tools.db.transaction(async (tx) => {
    await lockDocuments(tx, place.organisationId, place.environment, 'credentials')
    const secrets = await openSecrets(tx, place, tools.secrets)
    const recipients = await loadCredentialRecipients(tx, place)
    const next = 1 + Math.max(0, ...recipients.map(({ newest }) => newest?.sequence ?? 0))
    const sequences: number[] = []
    for (const recipient of recipients) {
      const { newest, publicKey } = recipient
      const current = newest?.recipient === publicKey && newest.contentDigest === secrets.contentDigest
      if (!current) {
        await sealTo(tx, recipient, { ...place, sequence: next, secrets, nowMs: tools.nowMs() })
      }
      sequences.push(current ? newest.sequence : next)
    }
    const change = { type: 'document', ...place, kind: 'credentials', sequence: next } as const
    const fresh = sequences.includes(next)
    if (fresh) await tools.changes.announce(tx, change)
    return { sequence: Math.min(next, ...sequences), change: fresh ? change : undefined }
  })
  if (change !== undefined) tools.changes.emit(change)
  return { ...place, kind: 'credentials', sequence }
}
