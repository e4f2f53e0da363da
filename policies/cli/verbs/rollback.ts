import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'rollback',
  register(program, context) {
    program
      .command('rollback')
      .description('put an environment back to the version before')
      .requiredOption('--env <environment>', 'where')
      .option('--to <version>', 'an older version than the last')
      .option('--workspace <name>', 'where an environment has several')
      .addHelpText(
        'after',
        examples(['signalbox rollback --env production', 'signalbox rollback --env production --to v9']),
      )
      .action(async (options: { env: string; to?: string; workspace?: string }) => {
        const reply = await context.client().rollbackDeployment({
          environment: options.env,
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.workspace === undefined ? {} : { workspace: options.workspace }),
        })
        context.output.document(reply)
        context.output.line(`${reply.environment}: back to ${reply.workspace} v${reply.stable.version}`)
        if (reply.pending !== undefined) context.output.note(`waiting for ${reply.pending.join(', ')}`)
      })
  },
}
