import type { CallRecord } from '@signalbox/sdk/contract'
import type { LoadedProgram, Program } from '../program.ts'

/** What decided a recorded call: without the policies that a freeze kept from being asked at the time. */
export function askedThen(
  program: LoadedProgram,
  { switchedOff = [] }: Pick<CallRecord['body'], 'switchedOff'>,
): Program {
  if (switchedOff.length === 0) return program
  const without = switchedOff.map((name) => {
    const at = name.indexOf('/')
    return { workspace: name.slice(0, at), policy: name.slice(at + 1) }
  })
  return program.view(
    program.workspaces.map((_, index) => index),
    without,
  )
}
