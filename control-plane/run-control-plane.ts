import { createLogger } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { loadConfig } from './config.ts'
import { startControlPlane } from './control-plane.ts'
import { describeFailure } from './db/errors.ts'

/** Runs a control plane from its settings to its end. Sets the exit code; the caller exits. */
export async function runControlPlane(options: {
  readonly version: string
  onListening(url: string): void
}): Promise<void> {
  let log = createLogger('control-plane', 'info')
  const stopAsked = Promise.withResolvers<string>()
  let asked = false
  const ask = (reason: string): void => {
    // Whoever asks twice does not want to wait.
    if (asked) process.exit(130)
    asked = true
    log.info({ reason }, 'stopping')
    stopAsked.resolve(reason)
  }
  process.on('SIGINT', () => ask('SIGINT'))
  process.on('SIGTERM', () => ask('SIGTERM'))
  process.once('disconnect', () => ask('the program that started this one is gone'))
  // A bug that nobody caught: what it left behind is not to be trusted. The next start clears up after this one.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: describeFailure(error) }, 'the control plane has failed')
    process.exit(1)
  })

  try {
    const config = loadConfig()
    log = createLogger('control-plane', config.logLevel)
    const software = `signalbox-control-plane/${options.version}`
    const startMs = performance.now()
    const controlPlane = await startControlPlane(config, { log, nowMs: Date.now, newId, software })
    const startedMs = Math.round(performance.now() - startMs)
    const database = config.databaseUrl === undefined ? 'embedded' : 'DATABASE_URL'
    log.info({ url: controlPlane.url, database, startedMs, version: options.version }, 'listening')
    options.onListening(controlPlane.url)
    const failed = controlPlane.broken.then((reason) => {
      process.exitCode = 1
      log.fatal({ err: { message: reason } }, 'the control plane cannot go on')
    })
    await Promise.race([stopAsked.promise, failed])
    await controlPlane.stop()
    log.info('stopped')
  } catch (error) {
    log.fatal({ err: describeFailure(error) }, 'the control plane cannot run')
    process.exitCode = 1
  }
}
