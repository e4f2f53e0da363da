import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'promote',
  register(program, context) {
    program
      .command('promote <version>')
      .description('make a version the stable one of an environment')
      .requiredOption('--env <environment>', 'where')
      .addHelpText('after', examples(['signalbox promote v12 --env production']))
      .action(async (version: string, options: { env: string }) => {
        const reply = await context.client().promoteVersion({ version, environment: options.env })
        context.output.document(reply)
        context.output.line(`${reply.environment}: ${reply.workspace} v${reply.stable.version} is stable`)
        if (reply.pending !== undefined) context.output.note(`waiting for ${reply.pending.join(', ')}`)
      })
  },
}
