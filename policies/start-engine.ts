import { setImmediate } from 'node:timers/promises'
import { taskMs } from './apart/run-apart.ts'
import { WarmThread } from './apart/warm-thread.ts'
import { engineOn } from './engine.ts'
import type { Engine, EngineLimits } from './program.ts'
import { createSandbox } from './sandbox/index.ts'

/**
 * Starts the engine: one sandbox, in this thread, that holds the images of all programs.
 * Throws where the engine cannot run here as it was built.
 */
export async function createEngine(limits: Partial<EngineLimits> = {}): Promise<Engine> {
  const sandbox = await createSandbox(limits)
  // Releases come in bursts, a ramp or a merge train; each would else load the same code in a thread of its own.
  const thread = new WarmThread({ timeoutMs: taskMs })
  const engine = engineOn(sandbox, {
    prepare: (workspaces, environment) => thread.run('prepare', { workspaces, environment, limits }),
    giveWay: () => setImmediate(),
  })
  return {
    ...engine,
    dispose: () => {
      sandbox.dispose()
      void thread.close()
    },
  }
}
