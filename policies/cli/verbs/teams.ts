import { createOrFind } from '../if-missing.ts'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'teams',
  register(program, context) {
    const { output } = context
    const teams = program.command('teams').description('teams and projects of the organisation')
    teams
      .command('list')
      .description('list the tree')
      .action(async () => {
        const reply = await context.client().listTeams()
        output.document(reply)
        output.table(
          ['PATH', 'KIND', 'KEYS', 'MANAGED BY'],
          reply.items.map((team) => [team.path, team.kind, String(team.keys), team.managedBy]),
        )
      })
    teams
      .command('create <name>')
      .description('make a team')
      .option('--parent <team>', 'below this team instead of the organisation')
      .option('--if-missing', 'give the existing team where there is one')
      .addHelpText(
        'after',
        examples(['signalbox teams create search', 'signalbox teams create web --parent search']),
      )
      .action(async (name: string, options: { parent?: string; ifMissing?: boolean }) => {
        const client = context.client()
        const find = async () =>
          (await client.listTeams()).items.find((team) =>
            options.parent === undefined
              ? team.name === name
              : team.path.endsWith(`${options.parent}/${name}`),
          )
        const team = await createOrFind(
          () =>
            client.createTeam({ name, ...(options.parent === undefined ? {} : { parent: options.parent }) }),
          options.ifMissing === true ? find : undefined,
        )
        output.document(team)
        output.line(`${team.path} ${output.style('dim', team.id)}`)
      })
  },
}
