import { text as readText } from 'node:stream/consumers'
import { Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'connections',
  register(program, context) {
    const { output } = context
    const connections = program
      .command('connections')
      .description('providers as this organisation reaches them')
    connections
      .command('list')
      .description('list the connections of an environment and whether its gateways can use them')
      .option('--env <environment>', 'environment')
      .action(async (options: { env?: string }) => {
        const environment = options.env ?? context.config.environment
        const reply = await context.client().listConnections({ environment })
        output.document(reply)
        output.table(
          ['NAME', 'PROVIDER', 'STATUS', 'CREDENTIAL', 'LOCALITY', 'BASE URL'],
          reply.items.map((each) => [
            each.name,
            each.provider,
            each.status,
            each.credential ?? '-',
            each.locality,
            each.baseUrl ?? '-',
          ]),
        )
      })
    connections
      .command('set <name>')
      .description("store a connection's secret, read from stdin; gateways get it sealed to their own key")
      .option('--env <environment>', 'environment')
      .addHelpText('after', examples(['signalbox connections set anthropic --env production < key.txt']))
      .action(async (name: string, options: { env?: string }) => {
        if (process.stdin.isTTY) output.note('Paste the secret, then press Ctrl-D.')
        const secret = (await readText(process.stdin)).trim()
        if (secret === '') throw new Failure('no secret on stdin', 'invalid_request')
        const environment = options.env ?? context.config.environment
        const connection = await context.client().setConnection({ name, environment, secret })
        output.document(connection)
        output.line(`${connection.name} in ${connection.environment}: ${connection.status}`)
        if (connection.pending !== undefined) output.note(`waiting for ${connection.pending.join(', ')}`)
      })
  },
}
