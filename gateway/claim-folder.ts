import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that this process alone uses. */
export interface ClaimedFolder {
  release(): void
}

/**
 * The name that stands for a folder among this machine's sockets. On Linux and Windows it goes with its process,
 * however that ends; elsewhere a file may be left behind.
 */
function socketOf(folder: string): { readonly path: string; readonly isFile: boolean } {
  const name = `signalbox-gateway-${hash('sha256', realpathSync(folder), 'hex').slice(0, 24)}`
  if (platform() === 'linux') return { path: `\0${name}`, isFile: false }
  if (platform() === 'win32') return { path: `\\\\.\\pipe\\${name}`, isFile: false }
  return { path: join(tmpdir(), `${name}.sock`), isFile: true }
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  server.listen({ path })
  await once(server, 'listening')
  server.unref()
  return server
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

/** Whether somebody answers at the socket. */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/**
 * Makes the folder (mode 0700) and this process its only user, until `release` or the end of the process.
 * @throws Error where another process uses it.
 */
export async function claimFolder(folder: string): Promise<ClaimedFolder> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { path, isFile } = socketOf(folder)
  for (;;) {
    try {
      const server = await listen(path)
      return { release: () => server.close() }
    } catch (error) {
      if (!isInUse(error)) throw error
      if (!isFile || (await isAnswered(path))) {
        const help = 'stop it, or set SIGNALBOX_DATA_DIR to another folder'
        throw new Error(`${folder} is in use by another gateway: ${help}`, { cause: error })
      }
      rmSync(path, { force: true })
    }
  }
}
