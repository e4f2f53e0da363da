/** A thread of `runBacktest`: takes batches of records until it is told to end, then hands over its tally. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Catalogue, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'
import type { ReplayLibrary } from '../replay/deciders.ts'
import { createEngine } from '../start-engine.ts'
import { Backtester } from './backtester.ts'
import { readExportedRecord } from './exported-lines.ts'
import { linesOf } from './line-batches.ts'
import type { BacktestStart, Found, FromThread, ToThread, Wanted } from './messages.ts'

const say = (message: FromThread): void => parentPort?.postMessage(message)
const questions = new Map<number, PromiseWithResolvers<Found>>()
let asked = 0

function ask(wanted: Wanted): Promise<Found> {
  const question = Promise.withResolvers<Found>()
  questions.set(++asked, question)
  say({ question: asked, wanted })
  return question.promise
}

// The starter answers each question with what was asked for.
const library: ReplayLibrary = {
  release: async (reference) => (await ask({ kind: 'release', reference })) as ReleaseContext | undefined,
  build: async (digest) => (await ask({ kind: 'build', digest })) as VersionBuild | undefined,
  catalogue: async (digest) => (await ask({ kind: 'catalogue', digest })) as Catalogue | undefined,
}

function answer(message: Exclude<ToThread, { batch: Uint8Array } | { end: true }>): void {
  const question = questions.get(message.answer)
  questions.delete(message.answer)
  if ('failed' in message) question?.reject(new Error(message.failed))
  else question?.resolve(message.found)
}

async function addBatch(backtester: Backtester, batch: Uint8Array): Promise<void> {
  let done = 0
  let different = 0
  for (const line of linesOf(batch)) {
    const record = readExportedRecord(line, { check })
    if (record === undefined) continue
    const { status } = await backtester.add(record)
    done++
    if (status === 'different') different++
  }
  say({ done, different })
}

const { versions, check }: BacktestStart = workerData
const engine = await createEngine()
const backtester = new Backtester(engine, library, versions)
/** One batch after the other, so that the first examples of anything are the oldest. */
let work: Promise<void> = Promise.resolve()
parentPort?.on('message', (message: ToThread) => {
  if ('answer' in message) return answer(message)
  work = work
    .then(async () => {
      if ('batch' in message) return await addBatch(backtester, message.batch)
      say({ tally: backtester.tally })
      parentPort?.close()
    })
    .catch((error: unknown) => say({ failed: error instanceof Error ? error.message : String(error) }))
})
