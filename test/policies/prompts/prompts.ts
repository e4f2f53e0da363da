import type { CompiledPrompt } from '@signalbox/sdk/contract'
import { compilePrompts } from '../../../policies/compile/link-prompts.ts'
import { ProblemList } from '../../../policies/compile/problem-list.ts'

/** A prompt file: front matter beside the name, and the text. */
export function promptFile(name: string, front: string, body: string): string {
  return `---\nname: ${name}\n${front === '' ? '' : `${front}\n`}---\n${body}`
}

/** Compiles prompt files; the first one is what comes back. Throws what is wrong with them. */
export function promptOf(...files: readonly string[]): CompiledPrompt {
  const problems = new ProblemList()
  const sources = new Map(files.map((text, index) => [`prompts/p${index}.prompt.md`, text]))
  const { prompts } = compilePrompts(sources, problems)
  const errors = problems.sorted().filter(({ severity }) => severity === 'error')
  const [first] = prompts
  if (errors.length > 0 || first === undefined) throw new Error(JSON.stringify(errors))
  return first.compiled
}

/** What is wrong with prompt files, as people read it. */
export function problemsOfPrompts(...files: readonly string[]): string[] {
  const problems = new ProblemList()
  compilePrompts(new Map(files.map((text, index) => [`prompts/p${index}.prompt.md`, text])), problems)
  return problems.sorted().map(({ severity, file, line, column, message }) => {
    const place = `${file.replace(/^prompts\/|\.prompt\.md$/g, '')}:${line}:${column}`
    return `${place} ${severity === 'warning' ? 'warning: ' : ''}${message}`
  })
}
