import { setImmediate } from 'node:timers/promises'
import { runApart } from './apart/run-apart.ts'
import { engineOn } from './engine.ts'
import type { Engine, EngineLimits } from './program.ts'
import { createSandbox } from './sandbox/index.ts'

/**
 * Starts the engine: one sandbox, in this thread, that holds the images of all programs.
 * Throws where the engine cannot run here as it was built.
 */
export async function createEngine(limits: Partial<EngineLimits> = {}): Promise<Engine> {
  const sandbox = await createSandbox(limits)
  const engine = engineOn(sandbox, {
    prepare: (workspaces, environment) => runApart('prepare', { workspaces, environment, limits }),
    giveWay: () => setImmediate(),
  })
  return { ...engine, dispose: () => sandbox.dispose() }
}
