import type { Logger } from '@signalbox/sdk/node'

/**
 * Logs an error that should not have been: its name and where it came from. The message of a SyntaxError is left out,
 * because it repeats what was parsed.
 */
export function logBug(log: Logger, error: unknown, call?: string): string {
  const bug = error instanceof Error ? error : new Error(String(error))
  const message = bug instanceof SyntaxError ? bug.name : bug.message
  const frames = (bug.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  log.error({ ...(call !== undefined && { call }), bug: bug.name, message, frames }, 'an error of ours')
  return bug.name
}
