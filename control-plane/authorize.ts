import type { Role } from '@signalbox/sdk/contract'
import type { Caller } from './handler.ts'

/** Who an operation's role lets in. What is not named here is refused. */
const admitted: Readonly<Record<Role, readonly string[]>> = {
  public: ['public', 'gateway', 'member', 'admin'],
  member: ['member', 'admin'],
  admin: ['admin'],
  gateway: ['gateway'],
}

/** Whether a caller may use an operation of this role. */
export function mayCall(role: Role, caller: Caller): boolean {
  const as = caller.kind === 'token' ? caller.role : caller.kind
  return admitted[role].includes(as)
}
