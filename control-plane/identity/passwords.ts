import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { passwordLengthMin, Refusal } from '@signalbox/sdk/contract'
import { createGate, type Gate } from '../gate.ts'

/**
 * Cost of a new hash: 2^15 blocks of 8, three times over, 32 MiB; of equal strength to one pass of 2^17 and the memory
 * of a quarter (OWASP Password Storage Cheat Sheet, scrypt).
 */
const cost = { log2: 15, blockSize: 8, parallelization: 3 } as const
const keyBytes = 32
const saltBytes = 16
/** Hashes that are worked out, and that wait, at the same time; each takes 32 MiB. */
const hashLimits = { runningMax: 2, waitingMax: 32 } as const

/** Makes and checks hashes of passwords, a few at a time. */
export interface Passwords {
  hash(password: string): Promise<string>
  /** Whether a password is the one of a hash. Takes as long where there is no hash. */
  matches(password: string, hash: string | null | undefined): Promise<boolean>
}

function derive(
  password: string,
  salt: Buffer,
  { log2, blockSize, parallelization }: { log2: number; blockSize: number; parallelization: number },
): Promise<Buffer> {
  const N = 2 ** log2
  const options: ScryptOptions = { N, r: blockSize, p: parallelization, maxmem: 256 * N * blockSize }
  return new Promise((resolve, reject) => {
    // The same letters typed on another system are the same password.
    scrypt(password.normalize('NFKC'), salt, keyBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

const storedPattern = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/
const absent = `scrypt$${cost.log2}$${cost.blockSize}$${cost.parallelization}$AAAAAAAAAAAAAAAAAAAAAA$${'A'.repeat(43)}`

export function createPasswords(): Passwords {
  const gate: Gate = createGate(hashLimits)
  return {
    hash: (password) =>
      gate(async () => {
        const salt = randomBytes(saltBytes)
        const key = await derive(password, salt, cost)
        const parts = [cost.log2, cost.blockSize, cost.parallelization]
        return `scrypt$${parts.join('$')}$${salt.toString('base64url')}$${key.toString('base64url')}`
      }),
    matches: (password, hash) =>
      gate(async () => {
        const parts = storedPattern.exec(hash ?? absent)
        if (parts === null) throw new Error('a stored password hash cannot be read')
        const [, log2, blockSize, parallelization, salt = '', stored = ''] = parts
        const of = {
          log2: Number(log2),
          blockSize: Number(blockSize),
          parallelization: Number(parallelization),
        }
        const key = await derive(password, Buffer.from(salt, 'base64url'), of)
        const known = Buffer.from(stored, 'base64url')
        return known.length === key.length && timingSafeEqual(known, key) && hash != null
      }),
  }
}

/**
 * Refuses what everybody tries first: the name itself, one letter many times, the words of every list.
 * @throws Refusal `invalid_request`.
 */
export function requireGoodPassword(password: string, name: string): void {
  const refuse = (message: string): Refusal => new Refusal('invalid_request', { message, param: 'password' })
  const plain = password.toLowerCase()
  if (password.length < passwordLengthMin) {
    throw refuse(`A password has at least ${passwordLengthMin} characters.`)
  }
  if (new Set(plain).size < 5) throw refuse('The password repeats a few characters.')
  const stem = name.split('@')[0] ?? name
  if (plain === name || (stem.length >= 4 && plain.replaceAll(/[\d\W_]/g, '') === stem)) {
    throw refuse('The password is the name.')
  }
  if (/^(password|passwort|signalbox|changeme|letmein|welcome|qwerty|admin|secret)*[\d\W_]*$/.test(plain)) {
    throw refuse('The password is one that is tried first everywhere.')
  }
}
