import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/** Another process uses the folder. Its message says which, for people. */
export class FolderInUseError extends Error {}

/** A folder that this process alone uses. */
export interface ClaimedFolder {
  release(): void
}

const lockName = 'owner.lock'
const attemptsMax = 5

interface Lock extends ProcessIdentity {
  /** Tells this lock from a later one of the same process. */
  readonly nonce: string
}

function readLock(file: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Lock
  } catch {
    // Missing, or damaged by a crash of the machine: nobody's.
    return undefined
  }
}

/** Makes the lock with its content in one step, if there is none: nobody ever sees an empty one. */
function tryLock(file: string, lock: Lock): boolean {
  const whole = `${file}.${lock.nonce}`
  writeFileSync(whole, JSON.stringify(lock), { mode: 0o600 })
  try {
    linkSync(whole, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw new Error(`${file} cannot be made: the file system must be able to link files`, { cause: error })
  } finally {
    unlinkSync(whole)
  }
}

/** Moves a dead owner's lock away. What was moved may be a new owner's by now; then it is put back. */
function breakLock(file: string, dead: Lock | undefined): void {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = readLock(aside)
  if (moved?.nonce === dead?.nonce) unlinkSync(aside)
  else renameSync(aside, file)
}

/**
 * Makes the folder (mode 0700) and this process its owner, until `release` or the end of the process. The lock names
 * the owner by process, its start and the system's boot, so that one left behind by kill -9 or a crash holds nobody up.
 * @throws FolderInUseError where another running process, or this one, is the owner.
 */
export function claimFolder(folder: string): ClaimedFolder {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, lockName)
  const own: Lock = { ...ownIdentity(), nonce: randomBytes(8).toString('hex') }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (tryLock(file, own)) {
      return {
        release() {
          if (readLock(file)?.nonce === own.nonce) unlinkSync(file)
        },
      }
    }
    const owner = readLock(file)
    if (owner !== undefined && isRunning(owner)) {
      const help = 'stop it, or set SIGNALBOX_DATA_DIR to another folder'
      throw new FolderInUseError(`${folder} is in use by another Signalbox (process ${owner.pid}): ${help}`)
    }
    breakLock(file, owner)
  }
  throw new FolderInUseError(`${folder} is being taken by another Signalbox at this moment; try again`)
}

/** The content of a file that only this user may read; where it is missing it is written with what `make` gives. */
export function loadOrStoreSecret(file: string, make: () => string): { text: string; made: boolean } {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text !== '') {
      chmodSync(file, 0o600)
      return { text, made: false }
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const text = make()
  // Whole or not at all: a half-written secret would lock its owner out.
  const partial = `${file}.partial`
  writeFileSync(partial, `${text}\n`, { mode: 0o600 })
  renameSync(partial, file)
  return { text, made: true }
}
