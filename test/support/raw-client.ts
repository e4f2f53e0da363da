import { connect, type Socket } from 'node:net'

/** A client that says exactly what it is told to. */
export interface RawClient {
  readonly socket: Socket
  write(text: string | Buffer): void
  /** Everything that came back so far. */
  received(): string
  /** Resolves with everything that came back, when the other side has closed. */
  readonly closed: Promise<string>
}

/** Opens a connection to a URL's host and port. */
export function rawClient(url: string, text = ''): RawClient {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const chunks: Buffer[] = []
  const received = (): string => Buffer.concat(chunks).toString('latin1')
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  if (text !== '') socket.write(text)
  return {
    socket,
    write: (more) => void socket.write(more),
    received,
    closed: new Promise((resolve) => socket.once('close', () => resolve(received()))),
  }
}
