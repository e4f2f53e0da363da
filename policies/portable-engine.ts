/**
 * The run side without Node: the engine, facts and explanations for whoever decides calls in a browser. The same
 * wasm, the same combination, the same bytes as in the gateway.
 */
import { digestOf } from '@signalbox/sdk/node'
import { engineOn } from './engine.ts'
import type { Engine } from './program.ts'
import { compileEngine } from './sandbox/engine.ts'
import { TextMemory } from './sandbox/guest-memory.ts'
import { startSandbox } from './sandbox/sandbox.ts'

export { indexCatalogue } from './catalogue/index-catalogue.ts'
export { type FactWord, type Vocabulary, vocabularyOf } from './compile/vocabulary.ts'
export { type Tried, Tryout } from './explain/tryout.ts'
export type { Engine, Evaluation, LoadedWorkspace, ParamValues } from './program.ts'

/** Where the engine's wasm is; bundlers see this and take it along. */
export const engineUrl = new URL('sandbox/engine.wasm', import.meta.url)

/**
 * Starts an engine from its wasm.
 * @throws Error where it is not the engine of the given digest (`sha256:…`), or this runtime cannot run it.
 */
export async function startPortableEngine(
  binary: Uint8Array<ArrayBuffer>,
  expectedDigest: string,
): Promise<Engine> {
  const digest = digestOf(binary)
  if (digest !== expectedDigest) throw new Error(`the engine here is ${digest}, not ${expectedDigest}`)
  const memoryOf = (bytes: ArrayBuffer): TextMemory => new TextMemory(bytes)
  const sandbox = startSandbox(
    await compileEngine(binary, { digest: digest.slice('sha256:'.length), memoryOf }),
  )
  return { ...engineOn(sandbox), dispose: () => sandbox.dispose() }
}
