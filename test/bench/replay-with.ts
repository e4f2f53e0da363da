import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeTrafficFile } from '../support/traffic-file.ts'

/**
 * Whether another Node decides recorded calls as this one did: `node test/bench/replay-with.ts PATH_OF_NODE [records]`,
 * 100,000 if left out. Nothing but a file goes from one to the other.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const [binary = process.execPath, count = '100000'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'signalbox-replay-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'records.ndjson')
await writeTrafficFile(file, Number(count))
const program = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
const theirs = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()
const { status, stdout, stderr } = spawnSync(binary, [program, 'replay', '--all', '--from', file, '--json'], {
  encoding: 'utf8',
})
if (status === null || stdout === '') throw new Error(`${binary} did not replay: ${stderr}`)
const { records, same, different, replayablePpm } = JSON.parse(stdout)
say(
  `recorded by ${process.version}, replayed by ${theirs}: ${same} of ${records} same, ${different} different`,
)
if (status !== 0 || same !== Number(count) || replayablePpm !== 1_000_000) process.exitCode = 1
