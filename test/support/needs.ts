import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

/** Recorded provider traffic, beside the checkout. */
export const recordingsFolder = fileURLToPath(new URL('../../../shared/recordings', import.meta.url))

/** A Python that has the official clients: `SIGNALBOX_TEST_PYTHON`, else the one on the PATH. */
export function pythonWithClients(): string {
  return process.env.SIGNALBOX_TEST_PYTHON ?? 'python3'
}

/** Things that a machine may lack, and what to do about it. The only place where tests are skipped. */
const things = {
  recordings: {
    present: () => existsSync(recordingsFolder),
    reason: 'recorded provider traffic is not beside the checkout (../shared/recordings)',
  },
  python: {
    present: () => spawnSync(pythonWithClients(), ['-c', 'import openai, anthropic']).status === 0,
    reason: 'no Python with the packages openai and anthropic; name one in SIGNALBOX_TEST_PYTHON',
  },
  root: {
    present: () => process.getuid?.() === 0 && process.platform === 'linux',
    reason: 'only root on Linux can run as other users',
  },
} as const

/** `describe` where the thing is there; else a skipped suite whose name carries the reason. */
export function describeWith(thing: keyof typeof things, name: string, body: () => void): void {
  const { present, reason } = things[thing]
  if (present()) describe(name, body)
  else describe.skip(`${name} (skipped: ${reason})`, body)
}
