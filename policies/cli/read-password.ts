import { readFileSync } from 'node:fs'
import { Failure } from './context.ts'

/**
 * A password from a file, or from standard input where the file is `-`: never from an option, which other programs of
 * the machine can see. The last line break is not part of it.
 */
export function readPassword(file: string): string {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new Failure(
      `the password cannot be read from ${file}: ${error instanceof Error ? error.message : error}`,
    )
  }
  const password = text.replace(/\r?\n$/, '')
  if (password === '') throw new Failure('the password is empty')
  return password
}
