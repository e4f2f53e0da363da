import { startPostgres } from '../../../control-plane/postgres/start.ts'

/** A program that starts Postgres in the folder of its first argument, says where, and stops it on SIGTERM. */
const postgres = await startPostgres(process.argv[2] ?? '')
process.stdout.write(`${JSON.stringify({ url: postgres.url, pid: postgres.pid() })}\n`)
const alive = setInterval(() => undefined, 1000)
process.once('SIGTERM', () => {
  clearInterval(alive)
  postgres.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
