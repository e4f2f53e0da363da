import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { digestOfRandomFacts } from './random-facts.ts'

const script = fileURLToPath(new URL('random-facts.ts', import.meta.url))
/** Enough to meet every rule many times; `npm run soak` takes a million. */
const rounds = 5000
const fresh = 200

test('thousands of random calls are decided alike in two processes, two hundred of them on fresh instances', async () => {
  const run = promisify(execFile)(process.execPath, [script, String(rounds), String(fresh), '1'])
  const here = await digestOfRandomFacts(rounds, fresh, 1)
  expect((await run).stdout.trim()).toBe(here)
}, 60_000)
