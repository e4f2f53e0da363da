import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'status',
  register(program, context) {
    program
      .command('status')
      .description('what runs where, and how far the gateways have converged')
      .option('--env <environment>', 'only this environment')
      .addHelpText('after', examples(['signalbox status', 'signalbox status --env production --json']))
      .action(async (options: { env?: string }) => {
        const { output } = context
        const reply = await context
          .client()
          .getStatus(options.env === undefined ? {} : { environment: options.env })
        output.document(reply)
        for (const environment of reply.environments) {
          const mark =
            environment.gateways.length === 0
              ? 'no gateway'
              : environment.converged
                ? 'converged'
                : 'converging'
          output.line(`${output.style('bold', environment.name)}  ${mark}`)
          for (const deployment of environment.deployments) {
            output.line(`  ${deployment.workspace} v${deployment.stable.version} by ${deployment.by}`)
          }
          for (const gateway of environment.gateways) {
            const state = gateway.connected
              ? output.style('green', 'connected')
              : output.style('yellow', 'away')
            output.line(
              `  ${gateway.name} ${state} release ${gateway.release ?? '-'} state ${gateway.state ?? '-'}`,
            )
            if (gateway.rejected !== null) {
              const { document, sequence, error } = gateway.rejected
              output.line(`    ${output.style('red', 'rejected')} ${document} ${sequence}: ${error}`)
            }
          }
        }
      })
  },
}
