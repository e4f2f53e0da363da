/**
 * The engine of the gateway in a thread of the browser. Authors' code runs in its sandbox only; the control plane
 * answers this file with a policy of its own, see `control-plane/security-headers.ts`.
 */
import {
  type Engine,
  engineUrl,
  indexCatalogue,
  startPortableEngine,
  Tryout,
  vocabularyOf,
} from '@signalbox/policies/engine'
import type { Question, Reply } from './messages.ts'

let engine: Promise<Engine> | undefined
let tryout: Tryout | undefined

async function start(digest: string): Promise<Engine> {
  const response = await fetch(engineUrl)
  if (!response.ok) throw new Error(`the engine cannot be loaded: HTTP ${response.status}`)
  return await startPortableEngine(new Uint8Array(await response.arrayBuffer()), digest)
}

async function answer(question: Question): Promise<Reply> {
  const { id } = question
  if (question.kind === 'load') {
    const { build, catalogue } = question
    engine ??= start(build.engine)
    const nodePath = build.compiled.node.split('/').filter((name) => name !== '')
    const version = { digest: build.digest, script: build.script, compiled: build.compiled, nodePath }
    tryout = new Tryout(
      await engine,
      version,
      indexCatalogue(catalogue as Parameters<typeof indexCatalogue>[0]),
    )
    return { id, vocabulary: vocabularyOf(build.compiled) }
  }
  if (tryout === undefined) throw new Error('no version is loaded')
  const { facts, completed, evaluation, explanation } = await tryout.run(question.given, question.params)
  const { decisionDigest, decisionJson } = evaluation
  return { id, tried: { facts, completed, explanation, decisionDigest, decisionJson } }
}

addEventListener('message', async ({ data }: MessageEvent<Question>) => {
  try {
    postMessage(await answer(data))
  } catch (error) {
    postMessage({ id: data.id, failed: error instanceof Error ? error.message : String(error) })
  }
})
