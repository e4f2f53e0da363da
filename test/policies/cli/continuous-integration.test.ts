import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadCliConfig } from '../../../policies/cli/config.ts'
import { createContext } from '../../../policies/cli/context.ts'
import { Output } from '../../../policies/cli/output.ts'
import { verb as check } from '../../../policies/cli/verbs/check.ts'
import { verb as test } from '../../../policies/cli/verbs/test.ts'
import { textOf } from '../../architecture/documented-names.ts'
import { trackedFiles } from '../../architecture/source-tree.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly shell?: string
  readonly with?: Readonly<Record<string, string>>
}
const actionFile = '.github/actions/signalbox/action.yml'
const action: { inputs: Record<string, unknown>; runs: { using: string; steps: Step[] } } = parse(
  textOf(actionFile),
)
const starter: { jobs: { policies: { steps: Step[] } } } = parse(
  textOf('policies/starter/.github/workflows/signalbox.yml'),
)
/** The YAML examples of the README that are no file of a workspace. */
const examples = [...textOf('policies/README.md').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => parse(text) as Record<string, unknown>,
)
const example = (member: string) => examples.find((each) => member in each)

/** Options that verbs have, by name. */
function optionsOf(): Map<string, Set<string>> {
  const program = new Command()
  for (const verb of [check, test]) verb.register(program, createContext(loadCliConfig(), new Output(false)))
  return new Map(
    program.commands.map((command) => [
      command.name(),
      new Set(
        command.options.flatMap(({ long, short }) => [long, short].filter((name) => name !== undefined)),
      ),
    ]),
  )
}

describe('what CI runs', () => {
  const scripts = [
    ...action.runs.steps.flatMap(({ run = [] }) => run),
    ...starter.jobs.policies.steps.flatMap(({ run = [] }) => run),
    JSON.stringify(examples),
    textOf('policies/README.md'),
  ]

  it('has no option that the CLI does not have', () => {
    const known = optionsOf()
    const calls = scripts.flatMap((text) => [...text.matchAll(/signalbox (check|test)\b([^\n|&>'"`]*)/g)])
    const wrong = calls.flatMap(([call, verb = '', rest = '']) =>
      (rest.match(/(?<=\s)--?[a-z][\w-]*/g) ?? [])
        .filter((option) => known.get(verb)?.has(option) !== true)
        .map((option) => `${call}: ${option}`),
    )
    expect(calls.length).toBeGreaterThan(8)
    expect(wrong).toEqual([])
  })

  it('is on GitHub an action whose steps name a shell and only inputs that it has', () => {
    expect(action.runs.using).toBe('composite')
    expect(action.runs.steps.filter(({ run, shell }) => run !== undefined && shell === undefined)).toEqual([])
    const used = [...textOf(actionFile).matchAll(/inputs\.([\w-]+)/g)].map(([, name = '']) => name)
    expect([...new Set(used)].sort()).toEqual(Object.keys(action.inputs).sort())
    // An input in a script would run as code.
    expect(action.runs.steps.filter(({ run }) => run?.includes('${{'))).toEqual([])
  })

  it('annotates: check and test both say what is wrong as GitHub reads it', () => {
    for (const steps of [action.runs.steps, starter.jobs.policies.steps]) {
      const text = steps.flatMap(({ run = [] }) => run).join('\n')
      expect(text).toMatch(/signalbox check .*--format github/)
      expect(text).toMatch(/signalbox test .*--format github/)
    }
  })

  it('uses the action where it is, with inputs that it has', () => {
    const { jobs } = example('jobs') as { jobs: { policies: { steps: Step[] } } }
    const step = jobs.policies.steps.find(({ uses = '' }) => uses.startsWith('./'))
    expect(trackedFiles).toContain(`${step?.uses?.slice(2)}/action.yml`)
    expect(Object.keys(step?.with ?? {}).filter((name) => !(name in action.inputs))).toEqual([])
  })

  it('is on GitLab a job with both reports, and before a commit a hook', () => {
    expect(example('policies')).toMatchObject({
      policies: { artifacts: { paths: ['signalbox.sarif'], reports: { junit: 'junit.xml' } } },
    })
    expect(example('repos')).toMatchObject({ repos: [{ repo: 'local', hooks: [{ language: 'system' }] }] })
  })
})
