import { type accessOperations, Refusal } from '@signalbox/sdk/contract'
import type { Database } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { type EnvironmentRow, findEnvironment, listEnvironments } from '../stores/environments.ts'

/** @throws Refusal `not_found` that names the environment. */
export async function requireEnvironment(
  db: Database,
  organisationId: string,
  name: string,
): Promise<EnvironmentRow> {
  const found = await findEnvironment(db, organisationId, name)
  if (found !== undefined) return found
  throw new Refusal('not_found', { message: `There is no environment "${name}".`, param: 'environment' })
}

export function createEnvironmentHandlers({
  db,
}: Dependencies): Pick<Handlers<typeof accessOperations>, 'listEnvironments'> {
  return {
    async listEnvironments({ organisationId }) {
      const rows = await listEnvironments(db, organisationId)
      return { items: rows.map(({ name, createdMs }) => ({ name, createdMs })) }
    },
  }
}
