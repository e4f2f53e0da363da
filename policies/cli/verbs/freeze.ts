import { collect, type FreezeOptions, freezeScope, printFreeze } from '../freeze-options.ts'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'freeze',
  register(program, context) {
    program
      .command('freeze')
      .description('stop deployments, candidates or single policies of an environment at once')
      .requiredOption('--env <environment>', 'where')
      .requiredOption('--reason <text>', 'why')
      .option('--deployments', 'nothing is deployed, no ramp goes on; what is meant if nothing is named')
      .option('--candidates', 'all calls are decided by stable versions')
      .option('--policy <name>', 'do not ask this policy; a constraint needs the role security', collect)
      .addHelpText(
        'after',
        examples([
          'signalbox freeze --env production --reason "Black Friday"',
          'signalbox freeze --env production --policy budget-downgrade --reason "wrong model"',
        ]),
      )
      .action(async (options: FreezeOptions & { reason: string }) => {
        const scope = await freezeScope(options, context)
        const reply = await context.client().freezeEnvironment({ ...scope, reason: options.reason })
        context.output.document(reply)
        printFreeze(reply, context.output)
      })
  },
}
