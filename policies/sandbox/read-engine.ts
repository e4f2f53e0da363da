import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { compileEngine, type EngineCode } from './engine.ts'
import type { SandboxLimits } from './limits.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

/** Reads, verifies and compiles the engine. Throws if the file is not the one that was committed. */
export async function loadEngineCode(): Promise<EngineCode> {
  const binary = await readFile(new URL('engine.wasm', import.meta.url))
  const committed = (await readFile(new URL('engine.sha256', import.meta.url), 'utf8')).split(' ')[0]
  const digest = createHash('sha256').update(binary).digest('hex')
  if (digest !== committed) throw new Error(`engine.wasm is ${digest}, engine.sha256 says ${committed}`)
  return await compileEngine(binary, { digest, memoryOf: (bytes) => Buffer.from(bytes) })
}

/** Reads the engine, starts it and tries it out. Throws if this Node cannot run it as intended. */
export async function createSandbox(limits: Partial<SandboxLimits> = {}): Promise<Sandbox> {
  return startSandbox(await loadEngineCode(), limits)
}
