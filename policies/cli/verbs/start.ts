import type { ConnectionStatus } from '@signalbox/sdk'
import type { CliContext } from '../context.ts'
import { type LocalStart, startLocally } from '../local-start.ts'
import { hearStop, runUntilStopped } from '../run-until-stopped.ts'
import { examples, type Verb } from '../verb.ts'
import { printWelcome } from '../welcome.ts'

/** The gateway says what its connections can do a moment after it is ready. */
async function knownConnections(started: LocalStart, environment: string): Promise<ConnectionStatus[]> {
  for (let round = 0; ; round++) {
    const { items } = await started.client.listConnections({ environment })
    if (round === 20 || !items.some((each) => each.status === 'unknown')) return items
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function printSimulated(started: LocalStart, { output, config }: CliContext): Promise<void> {
  const items = await knownConnections(started, config.environment)
  const simulated = items.filter((each) => each.status === 'simulated')
  if (simulated.length === 0) return
  const names = simulated.map((each) => `${each.name} (${each.credential?.replace('env:', '')})`)
  output.line(output.style('dim', `Without a key, answered by the simulated provider: ${names.join(', ')}.`))
}

export const verb: Verb = {
  name: 'start',
  register(program, context) {
    program
      .command('start')
      .description('control plane with console, gateway, embedded Postgres and the starter workspace')
      .addHelpText('after', examples(['signalbox start', 'DATABASE_URL=postgres://… signalbox start']))
      .action(async () => {
        const stop = hearStop()
        const started = await startLocally(context.config, context.output)
        const { gatewayUrl, controlPlaneUrl, key, workspace } = started
        context.output.document({ gatewayUrl, controlPlaneUrl, key, workspace })
        printWelcome(started, context.output)
        const running = runUntilStopped(started, stop, context.output)
        await Promise.race([printSimulated(started, context), stop])
        await running
      })
  },
}
