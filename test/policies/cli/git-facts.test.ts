import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gitFactsOf } from '../../../policies/cli/git-facts.ts'

const root = mkdtempSync(join(tmpdir(), 'signalbox-git-'))
const acme = join(root, 'acme')
const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' })
const commit = () =>
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'What is there')

beforeAll(() => {
  mkdirSync(join(acme, 'policies'), { recursive: true })
  writeFileSync(join(root, 'README.md'), '')
  writeFileSync(join(acme, 'signalbox.yaml'), 'name: acme\n')
  git('init', '-q')
  git('add', 'README.md')
  commit()
})
afterAll(() => rmSync(root, { recursive: true }))

describe('gitFactsOf', () => {
  it('knows nothing of a folder that no commit has seen, so that what `init` wrote can be pushed', () => {
    expect(gitFactsOf(acme)).toBeUndefined()
  })

  it('names what is not as it was committed, from the first file that is kept', () => {
    git('add', 'acme')
    expect(gitFactsOf(acme)?.changed).toEqual(['signalbox.yaml'])
    commit()
    writeFileSync(join(acme, 'policies/more.policy.json'), '{}')
    expect(gitFactsOf(acme)).toMatchObject({
      author: 'Ada <ada@example.com>',
      changed: ['policies/more.policy.json'],
    })
  })
})
