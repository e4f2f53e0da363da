import { collect, type FreezeOptions, freezeScope, printFreeze } from '../freeze-options.ts'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'unfreeze',
  register(program, context) {
    program
      .command('unfreeze')
      .description('end a freeze, or of it what is named')
      .requiredOption('--env <environment>', 'where')
      .option('--deployments', 'deployments go on')
      .option('--candidates', 'candidates go on')
      .option('--policy <name>', 'ask this policy again', collect)
      .addHelpText('after', examples(['signalbox unfreeze --env production']))
      .action(async (options: FreezeOptions) => {
        const reply = await context.client().unfreezeEnvironment(await freezeScope(options, context))
        context.output.document(reply)
        printFreeze(reply, context.output)
      })
  },
}
