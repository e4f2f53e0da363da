import { execFileSync } from 'node:child_process'
import { lchownSync, lstatSync, readdirSync } from 'node:fs'
import { platform, userInfo } from 'node:os'
import { join } from 'node:path'

/**
 * How the server's processes run. Postgres refuses user id 0 and ids that no user has. `plain`: as we are.
 * `namespace`: in a user namespace where we appear as `nobody`: nothing is chowned, and folders of mode 0700 stay
 * reachable. `setuid`: as root where namespaces are forbidden (containers): as `nobody`, which must reach the folder.
 */
export type RunAs = 'plain' | 'namespace' | 'setuid'

/** The one user beside root that every system knows. */
const nobody = 65_534
const namespaceArguments = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--']

/** Whether our user id has a name; in a container that runs under a number of its own it has none. */
function hasName(): boolean {
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

/** Finds the way that works here. */
export function chooseRunAs(): RunAs {
  const isRoot = process.getuid?.() === 0
  if (!isRoot && hasName()) return 'plain'
  try {
    execFileSync('unshare', [...namespaceArguments, 'true'], { stdio: 'ignore', timeout: 5000 })
    return 'namespace'
  } catch {
    return isRoot ? 'setuid' : 'plain'
  }
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly options: { readonly uid?: number; readonly gid?: number; readonly env?: Record<string, string> }
}

/** The server gets nothing of our environment: secrets stand there, and `PG…` variables that mean other servers. */
const environment =
  platform() === 'win32' ? {} : { env: { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' } }

/** The command that runs a program of PostgreSQL in this way. */
export function commandFor(runAs: RunAs, file: string, args: readonly string[]): Command {
  if (runAs === 'namespace') {
    return { file: 'unshare', args: [...namespaceArguments, file, ...args], options: environment }
  }
  return {
    file,
    args,
    options: { ...environment, ...(runAs === 'setuid' ? { uid: nobody, gid: nobody } : {}) },
  }
}

function chownAll(path: string, user: number): void {
  lchownSync(path, user, user)
  if (!lstatSync(path).isDirectory()) return
  for (const entry of readdirSync(path)) chownAll(join(path, entry), user)
}

/** Gives the folder to the user that the server runs as, where it is another's: the way may change between starts. */
export function giveFolder(runAs: RunAs, folder: string): void {
  if (process.getuid?.() !== 0) return
  const user = runAs === 'setuid' ? nobody : 0
  if (lstatSync(folder).uid !== user) chownAll(folder, user)
}
