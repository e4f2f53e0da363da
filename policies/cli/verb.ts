import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** One verb of the CLI; one file in `verbs/`, named after it. */
export interface Verb {
  readonly name: string
  /** Adds the command with its options, examples and action. */
  register(program: Command, context: CliContext): void
}

/** Examples under a command's help. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`
}
