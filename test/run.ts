import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs every test: builds the console, which the browser tests look at, then hands over to vitest. */
const root = fileURLToPath(new URL('..', import.meta.url))

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${root}node_modules/${command}`, ...args], {
      cwd: root,
      stdio: 'inherit',
      // Hundreds of our own programs are started; each finds what the first one compiled.
      env: { NODE_COMPILE_CACHE: `${root}node_modules/.cache/compiled`, ...process.env },
    })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

const built = await run('vite/bin/vite.js', ['build', 'web', '--logLevel', 'warn'])
process.exitCode =
  built === 0 ? await run('vitest/vitest.mjs', ['run', '--project', 'unit', ...process.argv.slice(2)]) : built
