import { resolve } from 'node:path'
import { loadWorkspaceFolder, writeEditorFiles, writeStarter } from '@signalbox/policies'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'init',
  register(program, { output }) {
    program
      .command('init [dir]')
      .description('write the starter workspace: tested policies, guardrails and prompts, a CI workflow')
      .option('--name <name>', 'name of the workspace', 'starter')
      .addHelpText('after', examples(['signalbox init acme --name acme', 'signalbox test acme']))
      .action(async (dir: string | undefined, options: { name: string }) => {
        const folder = resolve(dir ?? '.')
        const starter = await writeStarter(folder, { name: options.name })
        const { written } = await writeEditorFiles(folder, await loadWorkspaceFolder(folder))
        const files = [...starter, ...written.filter((file) => !file.startsWith('.signalbox/'))].sort()
        output.document({ folder, files })
        for (const file of files) output.line(`${output.style('green', '+')} ${file}`)
        const place = dir === undefined ? '' : ` ${dir}`
        output.line('\nREADME.md says what these files do. Next:')
        output.line(`  signalbox test${place} --coverage    # runs the cases, and says what they do not see`)
        output.line(`  signalbox check${place}              # types, schemas, static analysis`)
      })
  },
}
