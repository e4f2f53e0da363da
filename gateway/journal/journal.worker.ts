import { parentPort, workerData } from 'node:worker_threads'
import { JournalKeeper } from './journal-keeper.ts'
import type { FromWorker, JournalWorkerSettings, ToWorker } from './journal-messages.ts'

/*
 * The journal's own thread: packing and sending records costs the calls nothing. The main thread says how far it has
 * written; this thread says how far it has come. Nothing of a record crosses between them but on the disk.
 */
const port = parentPort
if (port === null) throw new Error('this file is a worker thread')

const tell = (message: FromWorker): void => port.postMessage(message)
const settings = workerData as JournalWorkerSettings
const keeper = new JournalKeeper(settings, tell)
let told = ''
const ticking = setInterval(
  () => {
    keeper.seal()
    const progress = keeper.progress()
    const text = JSON.stringify(progress)
    if (text === told) return
    told = text
    tell({ type: 'progress', progress })
  },
  Math.max(5, settings.sealAfterMs / 4),
)
const running = keeper.run()

port.on('message', (message: ToWorker) => {
  if (message.type === 'written') {
    keeper.extend(message.written)
    return
  }
  clearInterval(ticking)
  keeper
    .close(message.withinMs)
    .then(() => running)
    .then(() => tell({ type: 'closed', progress: keeper.progress() }))
    .finally(() => port.close())
})
