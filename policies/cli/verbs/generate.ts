import { loadWorkspaceFolder, writeEditorFiles, writePythonClient } from '@signalbox/policies'
import { Option } from 'commander'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'generate',
  register(program, { output }) {
    program
      .command('generate [dir]')
      .description('types of a workspace for the editor, and a typed client for its callers')
      .addOption(
        new Option('--lang <language>', 'of the client; py writes nothing else')
          .choices(['ts', 'py'])
          .default('ts'),
      )
      .option('--client <file>', 'where to write the client, if not beside the types')
      .addHelpText(
        'after',
        examples([
          'signalbox generate',
          'signalbox generate acme --client src/llm.ts',
          'signalbox generate --lang py --client llm.py',
        ]),
      )
      .action(async (dir: string | undefined, options: { lang: string; client?: string }) => {
        const folder = dir ?? '.'
        const files = await loadWorkspaceFolder(folder)
        const { client } = options
        if (options.lang === 'py') {
          const { file, isWritten } = await writePythonClient(folder, files, client)
          output.document({ folder, written: isWritten ? [file] : [], kept: [] })
          output.line(isWritten ? `${output.style('green', '+')} ${file}` : `${file} is up to date`)
          return
        }
        const { written, kept } = await writeEditorFiles(
          folder,
          files,
          client === undefined ? {} : { client },
        )
        output.document({ folder, written, kept })
        for (const file of written) output.line(`${output.style('green', '+')} ${file}`)
        for (const file of kept) output.note(`${file} is yours and was left as it is`)
        if (written.length === 0) output.line('all types are up to date')
      })
  },
}
