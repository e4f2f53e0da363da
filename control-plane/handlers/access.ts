import type { accessOperations } from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { createConnectionHandlers } from './connections.ts'
import { createEnvironmentHandlers } from './environments.ts'
import { createGatewayListHandlers } from './gateways.ts'
import { createKeyHandlers } from './keys.ts'
import { createTeamHandlers } from './teams.ts'
import { createTokenHandlers } from './tokens.ts'

/** Who may do what: tokens, teams, keys, connections, environments, gateways. */
export function createAccessHandlers(dependencies: Dependencies): Handlers<typeof accessOperations> {
  return {
    ...createTokenHandlers(dependencies),
    ...createTeamHandlers(dependencies),
    ...createKeyHandlers(dependencies),
    ...createConnectionHandlers(dependencies),
    ...createEnvironmentHandlers(dependencies),
    ...createGatewayListHandlers(dependencies),
  }
}
