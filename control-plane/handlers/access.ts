import type {
  accessOperations,
  keyOperations,
  tokenOperations,
  treeOperations,
  userOperations,
} from '@signalbox/sdk/contract'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import type { SignInTools } from '../identity/sign-in-tools.ts'
import { createConnectionHandlers } from './connections.ts'
import { createEnvironmentHandlers } from './environments.ts'
import { createGatewayListHandlers } from './gateways.ts'
import { createKeyHandlers } from './keys.ts'
import { createSignInHandlers } from './sign-in.ts'
import { createTeamHandlers } from './teams.ts'
import { createTokenHandlers } from './tokens.ts'
import { createUserHandlers } from './users.ts'

type AccessOperations = typeof accessOperations &
  typeof keyOperations &
  typeof tokenOperations &
  typeof treeOperations &
  typeof userOperations

/** Who may do what: sign-in, users, tokens, the tree, keys, connections, environments, gateways. */
export function createAccessHandlers(
  dependencies: Dependencies,
  tools: SignInTools,
): Handlers<AccessOperations> {
  return {
    ...createSignInHandlers(dependencies, tools),
    ...createUserHandlers(dependencies, tools),
    ...createTokenHandlers(dependencies),
    ...createTeamHandlers(dependencies),
    ...createKeyHandlers(dependencies),
    ...createConnectionHandlers(dependencies),
    ...createEnvironmentHandlers(dependencies),
    ...createGatewayListHandlers(dependencies),
  }
}
