import { execFileSync } from 'node:child_process'
import { isWorkspacePath } from '@signalbox/policies'

/** What Git knows of a folder. */
export interface GitFacts {
  readonly commit: string
  /** Of the commit: `Ada <ada@example.com>`. */
  readonly author: string
  /** Files of the workspace that are not as they were committed, relative to its folder; reports beside it are none. */
  readonly changed: readonly string[]
}

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** Undefined where the folder is in no repository, or in one that has no commit yet or keeps no file of the folder. */
export function gitFactsOf(folder: string): GitFacts | undefined {
  try {
    const [commit = '', author = ''] = git(folder, 'log', '-1', '--format=%H%n%an <%ae>').split('\n')
    if (commit === '' || git(folder, 'ls-files', '--', '.') === '') return undefined
    const prefix = git(folder, 'rev-parse', '--show-prefix').trim()
    const status = git(
      folder,
      'status',
      '--porcelain',
      '-z',
      '--no-renames',
      '--untracked-files=all',
      '--',
      '.',
    )
    const changed = status.split('\0').flatMap((line) => {
      const path = line.slice(3)
      return path.startsWith(prefix) && isWorkspacePath(path.slice(prefix.length))
        ? [path.slice(prefix.length)]
        : []
    })
    return { commit, author, changed }
  } catch {
    return undefined
  }
}

/** The files of a folder that Git keeps, relative to it. */
export function trackedFiles(folder: string): ReadonlySet<string> {
  try {
    return new Set(git(folder, 'ls-files', '-z', '--', '.').split('\0'))
  } catch {
    return new Set()
  }
}

/** Where the CI job that runs this can be looked at: GitHub Actions, GitLab; undefined elsewhere. */
export function ciRunOf(environment: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment
  if (server !== undefined && repository !== undefined && run !== undefined) {
    return `${server}/${repository}/actions/runs/${run}`
  }
  return environment.CI_JOB_URL
}
