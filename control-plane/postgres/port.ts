import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'

const host = '127.0.0.1'

/** The port if it is free on loopback, else undefined; 0 finds any. */
async function probePort(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen({ port, host, exclusive: true })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch {
    return undefined
  } finally {
    server.close()
  }
}

function readPort(file: string): number {
  try {
    const port = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0
  } catch {
    return 0
  }
}

/** A free port on loopback: the one of the last start where it still is free. Remembered in `file`. */
export async function choosePort(file: string, { again }: { readonly again: boolean }): Promise<number> {
  const remembered = again ? 0 : readPort(file)
  const port = (remembered === 0 ? undefined : await probePort(remembered)) ?? (await probePort(0))
  if (port === undefined) throw new Error('There is no free port on 127.0.0.1.')
  writeFileSync(file, `${port}\n`, { mode: 0o600 })
  return port
}
