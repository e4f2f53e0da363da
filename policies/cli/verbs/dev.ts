import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { writeStarter } from '@signalbox/policies'
import { ApiError } from '@signalbox/sdk'
import { Failure } from '../context.ts'
import { type LocalStart, startLocally } from '../local-start.ts'
import type { Output } from '../output.ts'
import { formatProblem } from '../problems.ts'
import { pushFolder } from '../push-folder.ts'
import { recordLine } from '../record-line.ts'
import { hearStop, runUntilStopped } from '../run-until-stopped.ts'
import { examples, type Verb } from '../verb.ts'
import { TestWatch, watchFolder } from '../watch-tests.ts'
import { printWelcome } from '../welcome.ts'

/** Tests and publishes the folder again whenever a file in it changed: the tests of what changed come first. */
function watchWorkspace(
  started: LocalStart,
  environment: string,
  { output, tests }: { output: Output; tests: TestWatch },
): () => void {
  let running: Promise<void> = Promise.resolve()
  const publish = async (): Promise<void> => {
    const from = performance.now()
    try {
      const reply = await pushFolder(started.client, started.workspace, { environment, output })
      const took = Math.round(performance.now() - from)
      output.line(
        `${output.style('green', `v${reply.version}`)} live, ${reply.cases.passed} cases passed (${took} ms)`,
      )
    } catch (error) {
      if (error instanceof ApiError) {
        for (const problem of error.problems) output.note(formatProblem(problem, output))
      }
      const text = error instanceof Error ? error.message : String(error)
      output.note(`${output.style('red', 'not published')} ${text}`)
    }
  }
  return watchFolder(started.workspace, () => {
    running = running.then(async () => {
      if (await tests.lookAtChange()) await publish()
      else output.note(`${output.style('red', 'not published')}`)
    })
  })
}

async function printDecisions(started: LocalStart, output: Output, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const row of started.client.followRecords({}, { signal }))
        output.line(recordLine(row, output))
    } catch {
      // The control plane restarts or this ends; either way the loop knows what to do.
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

export const verb: Verb = {
  name: 'dev',
  register(program, context) {
    program
      .command('dev [dir]')
      .description('like start, on a folder that is published again at each save; prints a line per decision')
      .addHelpText('after', examples(['signalbox dev acme']))
      .action(async (dir: string | undefined) => {
        const { config, output } = context
        const workspace = resolve(dir ?? config.workspace ?? join(config.dataDir, 'workspace'))
        if (!existsSync(workspace)) {
          if (dir !== undefined)
            throw new Failure(`${workspace} does not exist; \`signalbox init ${dir}\` makes it`)
          await writeStarter(workspace, { name: 'starter' })
        }
        const stop = hearStop()
        const started = await startLocally({ ...config, workspace }, output)
        printWelcome(started, output)
        output.line(`Watching ${workspace}\n`)
        const tests = await TestWatch.start(workspace, output)
        await tests.learn()
        const unwatch = watchWorkspace(started, config.environment, { output, tests })
        const ended = new AbortController()
        const following = printDecisions(started, output, ended.signal)
        try {
          await runUntilStopped(started, stop, output)
        } finally {
          unwatch()
          tests.dispose()
          ended.abort()
          await following
        }
      })
  },
}
