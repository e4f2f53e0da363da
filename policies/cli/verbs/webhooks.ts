import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

function registerCreate(webhooks: Command, { client, output }: CliContext): void {
  webhooks
    .command('create <url>')
    .description('send alerts there from now on; prints the secret that signs them, once')
    .addHelpText('after', examples(['signalbox webhooks create https://hooks.example.com/signalbox']))
    .action(async (url: string) => {
      const reply = await client().createWebhook({ url })
      output.document(reply)
      output.line(`${reply.id}\n${reply.secret}`)
      output.note('The secret verifies the signature (standardwebhooks.com); it is not shown again.')
    })
}

export const verb: Verb = {
  name: 'webhooks',
  register(program, context) {
    const { client, output } = context
    const webhooks = program.command('webhooks').description('where alerts of budgets are sent')
    webhooks
      .command('list')
      .description('list webhooks')
      .action(async () => {
        const reply = await client().listWebhooks()
        output.document(reply)
        output.table(
          ['ID', 'URL', 'MADE', 'BY'],
          reply.items.map((each) => [
            ...[each.id, each.url, new Date(each.createdMs).toISOString(), each.createdBy],
          ]),
        )
      })
    registerCreate(webhooks, context)
    webhooks
      .command('test <id>')
      .description('send a message of type `test`; exit 1 where it is not taken')
      .action(async (id: string) => {
        const reply = await client().testWebhook({ id })
        output.document(reply)
        if (!reply.taken) throw new Failure(`It was not taken: ${reply.error ?? 'no reason'}.`)
        output.line('taken')
      })
    webhooks
      .command('delete <id>')
      .description('send nothing there any more')
      .action(async (id: string) => {
        output.document(await client().deleteWebhook({ id }))
        output.line(`${id} is deleted`)
      })
  },
}
