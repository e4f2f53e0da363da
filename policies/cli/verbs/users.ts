import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { createOrFind } from '../if-missing.ts'
import { readPassword } from '../read-password.ts'
import { examples, type Verb } from '../verb.ts'

type User = Awaited<ReturnType<Client['createUser']>>
type NewGrants = Parameters<Client['createUser']>[0]['grants']

const roles = ['owner', 'admin', 'security', 'developer', 'finance', 'viewer'] as const
const collect = (text: string, before: string[] = []): string[] => [...before, text]

/** `developer@search`: a role, and the node that it holds on. */
function parseGrants(texts: readonly string[]): NewGrants {
  return texts.map((text) => {
    const [name, ...node] = text.split('@')
    const role = roles.find((each) => each === name)
    if (role === undefined) throw new Failure(`"${text}" is no role of ${roles.join(', ')}`, 'usage')
    return node.length === 0 ? { role } : { role, node: node.join('@') }
  })
}

const shortGrants = ({ grants }: User): string =>
  grants.map(({ role, node }) => (node.path === '' ? role : `${role}@${node.path}`)).join(', ')

async function findByName(client: Client, name: string): Promise<User> {
  const found = (await client.listUsers()).items.find((each) => each.name === name || each.id === name)
  if (found === undefined) throw new Failure(`there is no user "${name}"`, 'not_found')
  return found
}

interface CreateOptions {
  role: string[]
  passwordFile: string
  displayName?: string
  ifMissing?: boolean
}

function registerCreate(users: Command, { client, output }: CliContext): void {
  users
    .command('create <name>')
    .description('make a local account of the console')
    .requiredOption('--role <role[@node]>', 'what they may do; may be given again', collect)
    .requiredOption('--password-file <file>', 'where the password stands; - is standard input')
    .option('--display-name <name>', 'name that is shown')
    .option('--if-missing', 'give the existing user where there is one')
    .addHelpText(
      'after',
      examples([
        'signalbox users create ada --role owner --password-file -',
        'signalbox users create bob --role developer@search --password-file bob.txt',
      ]),
    )
    .action(async (name: string, options: CreateOptions) => {
      const api = client()
      const user = await createOrFind(
        () =>
          api.createUser({
            ...{ name, password: readPassword(options.passwordFile), grants: parseGrants(options.role) },
            ...(options.displayName !== undefined && { displayName: options.displayName }),
          }),
        options.ifMissing === true ? () => findByName(api, name) : undefined,
      )
      output.document(user)
      output.line(`${user.name} ${output.style('dim', shortGrants(user))}`)
    })
}

interface SetOptions {
  role?: string[]
  passwordFile?: string
  displayName?: string
  disable?: boolean
  enable?: boolean
}

function registerSet(users: Command, { client, output }: CliContext): void {
  users
    .command('set <name>')
    .description('change a user; new roles take the place of all old ones')
    .option('--role <role[@node]>', 'what they may do; may be given again', collect)
    .option('--password-file <file>', 'another password; ends their sessions')
    .option('--display-name <name>', 'name that is shown')
    .option('--disable', 'they can no longer sign in')
    .option('--enable', 'they can sign in again')
    .action(async (name: string, options: SetOptions) => {
      const api = client()
      const { id, revision } = await findByName(api, name)
      const { role, passwordFile, displayName, disable, enable } = options
      const user = await api.updateUser({
        ...{ id, revision },
        ...(role !== undefined && { grants: parseGrants(role) }),
        ...(passwordFile !== undefined && { password: readPassword(passwordFile) }),
        ...(displayName !== undefined && { displayName }),
        ...((disable === true || enable === true) && { disabled: disable === true }),
      })
      output.document(user)
      output.line(`${user.name} ${output.style('dim', shortGrants(user))}`)
    })
}

export const verb: Verb = {
  name: 'users',
  register(program, context) {
    const { client, output } = context
    const users = program.command('users').description('people who sign in to the console')
    users
      .command('list')
      .description('list users')
      .action(async () => {
        const reply = await client().listUsers()
        output.document(reply)
        output.table(
          ['NAME', 'SHOWN AS', 'SIGNS IN BY', 'ROLES', 'STATE'],
          reply.items.map((user) => [
            ...[user.name, user.displayName, user.source, shortGrants(user)],
            user.disabledMs === null ? 'active' : 'disabled',
          ]),
        )
      })
    registerCreate(users, context)
    registerSet(users, context)
    users
      .command('sign-out <name>')
      .description('end all sessions of a user')
      .action(async (name: string) => {
        const api = client()
        const reply = await api.endUserSessions({ id: (await findByName(api, name)).id })
        output.document(reply)
        output.line(`${reply.ended} sessions ended`)
      })
  },
}
