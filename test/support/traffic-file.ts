import { appendFileSync, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { notingLibrary } from '../../policies/cli/record-file.ts'
import { buildTraffic, RecordedTraffic, trafficLibrary } from './recorded-traffic.ts'

/** Writes so many recorded calls to a file, with all that they were decided with, as `replay --save` does. */
export async function writeTrafficFile(file: string, records: number): Promise<void> {
  const version = await buildTraffic()
  const traffic = await RecordedTraffic.start(version)
  await pipeline(traffic.lines(records), createWriteStream(file))
  traffic.dispose()
  const { library, lines } = notingLibrary(trafficLibrary([version]))
  await library.release({ environment: 'development', sequence: 1 })
  await library.build(version.digest)
  appendFileSync(
    file,
    lines()
      .map((line) => `${line}\n`)
      .join(''),
  )
}
