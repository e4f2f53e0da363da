import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { createOrFind } from '../if-missing.ts'
import { examples, type Verb } from '../verb.ts'

async function findTeam(client: Client, name: string) {
  const { items } = await client.listTeams()
  const found = items.filter((each) => each.path === name || each.id === name)
  const [team, another] = found.length > 0 ? found : items.filter((each) => each.name === name)
  if (team === undefined) throw new Failure(`there is no team "${name}"`, 'not_found')
  if (another !== undefined)
    throw new Failure(`more than one team is named "${name}": give its path`, 'usage')
  return team
}

function registerSet(teams: Command, { client, output }: CliContext): void {
  teams
    .command('set <team>')
    .description('rename a team, or move it with all below it')
    .option('--name <name>', 'another name')
    .option('--parent <team>', 'below this team; "" is the organisation')
    .addHelpText(
      'after',
      examples(['signalbox teams set search --name discovery', 'signalbox teams set web --parent apps']),
    )
    .action(async (name: string, options: { name?: string; parent?: string }) => {
      const api = client()
      const { id, revision } = await findTeam(api, name)
      const team = await api.updateTeam({ team: id, revision, ...options })
      output.document(team)
      output.line(`${team.path} ${output.style('dim', team.id)}`)
    })
}

function registerDelete(teams: Command, { client, output }: CliContext): void {
  teams
    .command('delete <team>')
    .description('delete a team that has nothing below it, no keys and no calls')
    .action(async (name: string) => {
      const api = client()
      const { id, revision } = await findTeam(api, name)
      const team = await api.deleteTeam({ team: id, revision })
      output.document(team)
      output.line(`${team.path} is deleted`)
    })
}

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
    registerSet(teams, context)
    registerDelete(teams, context)
  },
}
