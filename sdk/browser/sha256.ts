/**
 * SHA-256 (FIPS 180-4, section 6.2). A browser's own is asynchronous, and a decision is made in one go.
 */
const blockBytes = 64
const lengthBytes = 8

/** First 32 bits of the fractional parts of the given roots of the first primes. */
function rootsOfPrimes(count: number, root: (prime: number) => number): Uint32Array {
  const words = new Uint32Array(count)
  for (let found = 0, candidate = 2; found < count; candidate++) {
    let isPrime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) isPrime &&= candidate % divisor !== 0
    if (isPrime) words[found++] = (root(candidate) % 1) * 2 ** 32
  }
  return words
}
const roundConstants = rootsOfPrimes(64, Math.cbrt)
const initialState = rootsOfPrimes(8, Math.sqrt)

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

/** The data, a one bit, zeros, and its length in bits: whole blocks. */
function padded(data: Uint8Array): DataView {
  const bytes = Math.ceil((data.length + 1 + lengthBytes) / blockBytes) * blockBytes
  const message = new Uint8Array(bytes)
  message.set(data)
  message[data.length] = 0x80
  const view = new DataView(message.buffer)
  view.setUint32(bytes - 8, Math.floor(data.length / 2 ** 29))
  view.setUint32(bytes - 4, data.length << 3)
  return view
}

function fillSchedule(schedule: Uint32Array, message: DataView, start: number): void {
  for (let at = 0; at < 16; at++) schedule[at] = message.getUint32(start + at * 4)
  for (let at = 16; at < 64; at++) {
    const early = schedule[at - 15] ?? 0
    const late = schedule[at - 2] ?? 0
    const fromEarly = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
    const fromLate = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
    schedule[at] = (schedule[at - 16] ?? 0) + fromEarly + (schedule[at - 7] ?? 0) + fromLate
  }
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let round = 0; round < 64; round++) {
    const sumE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const choice = (e & f) ^ (~e & g)
    const first = (h + sumE + choice + (roundConstants[round] ?? 0) + (schedule[round] ?? 0)) | 0
    const sumA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + sumA + majority) | 0
  }
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at] ?? 0) + word
}

/** SHA-256 as 64 hex digits. */
export function sha256Hex(data: Uint8Array): string {
  const message = padded(data)
  const state = initialState.slice()
  const schedule = new Uint32Array(64)
  for (let start = 0; start < message.byteLength; start += blockBytes) {
    fillSchedule(schedule, message, start)
    compress(state, schedule)
  }
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('')
}
