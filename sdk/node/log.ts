import { type Logger, pino } from 'pino'

export type { Logger }

/** Members that never reach a log, wherever they stand. */
const redacted = [
  'authorization',
  'cookie',
  'key',
  'token',
  'secret',
  'password',
  'credential',
  'apiKey',
].flatMap((name) => [name, `*.${name}`])

/** A program's logger: JSON lines on stderr. `error` means that a person must act. */
export function createLogger(name: string, level: string): Logger {
  return pino(
    { name, level, base: { name }, redact: { paths: redacted, censor: '[redacted]' } },
    pino.destination({ fd: 2, sync: true }),
  )
}
