import { printDeployment } from '../print-deployment.ts'
import { examples, type Verb } from '../verb.ts'

interface RollbackOptions {
  env: string
  to?: string
  shadow?: string
  reason?: string
  workspace?: string
}

export const verb: Verb = {
  name: 'rollback',
  register(program, context) {
    program
      .command('rollback')
      .description('take the candidate back, or put an environment back to the version before')
      .requiredOption('--env <environment>', 'where')
      .option('--to <version>', 'an older version than the last')
      .option('--shadow <version>', 'take a shadow away; `all` for every one')
      .option('--reason <text>', 'why, for the history')
      .option('--workspace <name>', 'where an environment has several')
      .addHelpText(
        'after',
        examples(['signalbox rollback --env production', 'signalbox rollback --env production --to v9']),
      )
      .action(async (options: RollbackOptions) => {
        const reply = await context.client().rollbackDeployment({
          environment: options.env,
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.workspace === undefined ? {} : { workspace: options.workspace }),
          ...(options.shadow === undefined ? {} : { shadow: options.shadow }),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        })
        context.output.document(reply)
        printDeployment(reply, context.output)
      })
  },
}
