import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const readmePath = fileURLToPath(new URL('../../policies/README.md', import.meta.url))
const cli = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))

/** A command of a transcript, and what it printed. */
interface Step {
  readonly command: readonly string[]
  readonly printed: readonly string[]
}

function stepsOf(block: string): Step[] {
  const steps: { command: string[]; printed: string[] }[] = []
  for (const line of block.split('\n')) {
    const last = steps.at(-1)
    if (line.startsWith('$ ')) steps.push({ command: [line.slice(2)], printed: [] })
    else if (/^>( |$)/.test(line) && last?.printed.length === 0) last.command.push(line.slice(2))
    else last?.printed.push(line)
  }
  return steps
}

/** Types commands in a shell, one after the other, in a folder of its own. */
class Shell {
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-transcript-'))
  #place = this.folder

  run(command: readonly string[]): string[] {
    const script = [
      `signalbox() { '${process.execPath}' '${cli}' "$@" 2>&1; }`,
      ...command,
      `pwd > '${join(this.folder, '.place')}'`,
    ].join('\n')
    const { CI: _, ...env } = process.env
    const options = { cwd: this.#place, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } } as const
    const text = execFileSync('bash', ['-c', script], options)
    this.#place = readFileSync(join(this.folder, '.place'), 'utf8').trim()
    return text === '' ? [] : text.trimEnd().split('\n')
  }
}

const withoutTimes = (lines: readonly string[]): string => lines.join('\n').replace(/\b\d+ ms\b/g, 'N ms')

/** A block as it is when its commands are typed again; where only times differ, as it was. */
function typedAgain(block: string, shell: Shell): string {
  const lines = stepsOf(block).flatMap(({ command, printed }) => {
    const [first = '', ...more] = command
    const found = shell.run(command)
    const shown = withoutTimes(found) === withoutTimes(printed) ? printed : found
    return [`$ ${first}`, ...more.map((line) => `> ${line}`.trimEnd()), ...shown]
  })
  return lines.join('\n')
}

it('the way from init to full coverage is as policies/README.md shows it', async () => {
  const readme = readFileSync(readmePath, 'utf8')
  const [section = ''] = /^## From init to full coverage$[\s\S]*?(?=^## )/m.exec(readme) ?? []
  const shell = new Shell()
  try {
    const again = section.replace(
      /^```console\n([\s\S]*?)\n```$/gm,
      (_, block: string) => `\`\`\`console\n${typedAgain(block, shell)}\n\`\`\``,
    )
    expect(again).toContain('coverage 100 %')
    expect(again).toContain('effect: expected "deny", got "noEffect"')
    // vitest -u writes the section anew.
    await expect(readme.replace(section, () => again)).toMatchFileSnapshot(readmePath)
  } finally {
    rmSync(shell.folder, { recursive: true })
  }
}, 120_000)
