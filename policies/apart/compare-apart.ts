import { startOfFile } from '../compile/text-position.ts'
import { ApartError } from './run-apart.ts'
import type { Tasks } from './tasks.ts'
import type { WarmThread } from './warm-thread.ts'

export type ComparedVersions = Tasks['compare']['output']

/**
 * Compares what two versions mean in a thread that stays for the next task. What takes longer than the thread allows,
 * or more than its memory, is a problem of the later version.
 */
export async function compareWarm(
  thread: WarmThread,
  versions: Tasks['compare']['input'],
): Promise<ComparedVersions> {
  try {
    return await thread.run('compare', versions)
  } catch (error) {
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (!isMemory && !(error instanceof ApartError)) throw error
    const message = `the versions cannot be compared: ${error.message}`
    const place = { severity: 'error', code: 'build_limit', file: 'signalbox.yaml', ...startOfFile } as const
    return { side: 'after', problem: { ...place, message } }
  }
}
