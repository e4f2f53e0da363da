import type { Envelope, ReleaseDocument, StateDocument, TreeNode } from '@signalbox/sdk/contract'
import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { document, environment, node, paramValue, rootDocument, signingKey } from '../db/schema.ts'

/** The two documents that are made anew with each change. */
export type SignedKind = 'release' | 'state'
export type StoredDocument = typeof document.$inferSelect

/** Makes writers of one kind of document of one environment wait for each other, until the transaction ends. */
export async function lockDocuments(
  tx: Transaction,
  organisationId: string,
  environmentName: string,
  kind: SignedKind | 'credentials',
): Promise<void> {
  const name = `document ${organisationId} ${environmentName} ${kind}`
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`)
}

/** Newest first, at most `limit`. */
export async function loadDocuments(
  q: Queryable,
  where: { organisationId: string; environment: string; kind: SignedKind },
  limit: number,
): Promise<StoredDocument[]> {
  return await q
    .select()
    .from(document)
    .where(
      and(
        eq(document.organisationId, where.organisationId),
        eq(document.environment, where.environment),
        eq(document.kind, where.kind),
      ),
    )
    .orderBy(desc(document.sequence))
    .limit(limit)
}

export async function loadDocument(
  q: Queryable,
  where: { organisationId: string; environment: string; kind: SignedKind },
  sequence: number,
): Promise<StoredDocument | undefined> {
  const rows = await q
    .select()
    .from(document)
    .where(
      and(
        eq(document.organisationId, where.organisationId),
        eq(document.environment, where.environment),
        eq(document.kind, where.kind),
        eq(document.sequence, sequence),
      ),
    )
  return rows[0]
}

export async function insertDocument(q: Queryable, row: StoredDocument): Promise<void> {
  await q.insert(document).values(row)
}

/** The payload of a stored envelope; ours, so its form is trusted. */
export function payloadOf(row: { envelope: string }): ReleaseDocument | StateDocument {
  const envelope = JSON.parse(row.envelope) as Envelope
  return JSON.parse(envelope.payload) as ReleaseDocument | StateDocument
}

/** The newest root document of an organisation. */
export async function loadRootDocument(
  q: Queryable,
  organisationId: string,
): Promise<{ sequence: number; envelope: string } | undefined> {
  const rows = await q
    .select({ sequence: rootDocument.sequence, envelope: rootDocument.envelope })
    .from(rootDocument)
    .where(eq(rootDocument.organisationId, organisationId))
    .orderBy(desc(rootDocument.sequence))
    .limit(1)
  return rows[0]
}

/** The root document of a sequence. */
export async function findRootDocument(
  q: Queryable,
  organisationId: string,
  sequence: number,
): Promise<{ sequence: number; envelope: string } | undefined> {
  const [row] = await q
    .select({ sequence: rootDocument.sequence, envelope: rootDocument.envelope })
    .from(rootDocument)
    .where(and(eq(rootDocument.organisationId, organisationId), eq(rootDocument.sequence, sequence)))
  return row
}

/** Keys that sign releases and states now, oldest first; their private parts are still encrypted. */
export async function loadReleaseKeys(
  q: Queryable,
  organisationId: string,
): Promise<{ keyId: string; publicKey: string; privateKey: string }[]> {
  return await q
    .select({
      keyId: signingKey.keyId,
      publicKey: signingKey.publicKey,
      privateKey: signingKey.privateKey,
    })
    .from(signingKey)
    .where(
      and(
        eq(signingKey.organisationId, organisationId),
        eq(signingKey.role, 'release'),
        isNull(signingKey.retiredMs),
      ),
    )
    .orderBy(asc(signingKey.createdMs), asc(signingKey.keyId))
}

/** The tree, parents before children. */
export async function loadTree(
  q: Queryable,
  organisationId: string,
): Promise<{
  nodes: TreeNode[]
  paths: Map<string, string>
}> {
  const rows = await q
    .select()
    .from(node)
    .where(eq(node.organisationId, organisationId))
    .orderBy(
      sql`coalesce(array_length(string_to_array(nullif(${node.path}, ''), '/'), 1), 0)`,
      asc(node.path),
    )
  return {
    nodes: rows.map(({ id, parentId, kind, name }) => ({ id, parentId, kind, name })),
    paths: new Map(rows.map((row) => [row.path, row.id])),
  }
}

export async function loadEnvironment(
  q: Queryable,
  organisationId: string,
  name: string,
): Promise<Pick<typeof environment.$inferSelect, 'stateAgeMsMax' | 'freezeReason' | 'freeze'> | undefined> {
  const rows = await q
    .select({
      stateAgeMsMax: environment.stateAgeMsMax,
      freezeReason: environment.freezeReason,
      freeze: environment.freeze,
    })
    .from(environment)
    .where(and(eq(environment.organisationId, organisationId), eq(environment.name, name)))
  return rows[0]
}

/** Every environment of every organisation. */
export async function loadAllEnvironments(
  q: Queryable,
): Promise<{ organisationId: string; environment: string }[]> {
  return await q
    .select({ organisationId: environment.organisationId, environment: environment.name })
    .from(environment)
    .orderBy(asc(environment.organisationId), asc(environment.name))
}

export async function loadParams(
  q: Queryable,
  organisationId: string,
  environmentName: string,
): Promise<StateDocument['params']> {
  const rows = await q
    .select()
    .from(paramValue)
    .where(and(eq(paramValue.organisationId, organisationId), eq(paramValue.environment, environmentName)))
    .orderBy(asc(paramValue.workspace), asc(paramValue.name))
  const params: StateDocument['params'] = {}
  for (const { workspace, name, value } of rows) {
    params[workspace] = { ...params[workspace], [name]: value }
  }
  return params
}
