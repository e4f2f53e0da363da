import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'explain',
  register(program, context) {
    program
      .command('explain <id>')
      .description('why a call was decided as it was (id: header x-signalbox-decision)')
      .addHelpText('after', examples(['signalbox explain 019a…', 'signalbox explain 019a… --json']))
      .action(async (id: string) => {
        const reply = await context.client().explainRecord({ id })
        context.output.document(reply)
        for (const line of reply.summary) context.output.line(line)
      })
  },
}
