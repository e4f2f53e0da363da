import { type DetectorKind, detectorKinds } from '@signalbox/sdk/contract'
import { classAt, letter } from './characters.ts'
import { type Detector, findingsMax, type Match } from './detector.ts'
import { address } from './pii/address.ts'
import { creditCard } from './pii/credit-card.ts'
import { dateOfBirth } from './pii/date-of-birth.ts'
import { emailLookBehind, findEmail } from './pii/email.ts'
import { iban } from './pii/iban.ts'
import { findIpv6, ipAddress } from './pii/ip-address.ts'
import { nationalId } from './pii/national-id.ts'
import { groupsFrom, isDigitCode, type NumberForm, type NumberStart } from './pii/number-form.ts'
import { phone } from './pii/phone.ts'
import { usSsn } from './pii/us-ssn.ts'

type PiiMatch = Match<DetectorKind<'pii'>>

/** The surest first: what one has taken, the others do not see. */
const forms: readonly NumberForm[] = [
  ...[iban, nationalId, creditCard, usSsn, dateOfBirth, ipAddress, phone, address],
]
const lettersMax = 7
const [at, colon] = [64, 58]

function lettersBefore(text: string, start: number): number {
  let count = 0
  while (count < lettersMax && (classAt(text, start - 1 - count) & letter) !== 0) count++
  return count
}

function findNumber(place: NumberStart): PiiMatch | undefined {
  for (const form of forms) {
    const found = form.find(place)
    if (found !== undefined) return found
  }
  return undefined
}

/** One pass over a text: digits, @ and colons are what personal data is found by. */
class PiiScan {
  readonly #text: string
  readonly found: PiiMatch[] = []
  /** End of the last match, and of the run of characters that was looked at for an IPv6 address. */
  #taken = 0
  #until = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): readonly PiiMatch[] {
    const text = this.#text
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code === at) this.#take(findEmail(text, index))
      else if (code === colon && index >= this.#until) this.#colon(index)
      else if (code >= 48 && code <= 57) index = this.#digits(index)
      if (this.found.length >= findingsMax) break
    }
    return this.found
  }

  /** Keeps a match. An address that ends a text with digits in it replaces what was made of the digits. */
  #take(found: PiiMatch | undefined): void {
    if (found === undefined || found.end <= this.#taken) return
    while ((this.found.at(-1)?.end ?? -1) > found.start) this.found.pop()
    this.found.push(found)
    this.#taken = found.end
  }

  #colon(index: number): void {
    const { match, until } = findIpv6(this.#text, index)
    this.#until = until
    this.#take(match)
  }

  /** Looks at a run of digits; gives the index of its last. */
  #digits(start: number): number {
    const text = this.#text
    let end = start + 1
    while (isDigitCode(text.charCodeAt(end))) end++
    if (start < this.#taken) return end - 1
    const found = findNumber({
      text,
      start,
      digits: end - start,
      lettersBefore: lettersBefore(text, start),
      ahead: groupsFrom(text, start),
    })
    if (found !== undefined && found.start >= this.#taken) this.#take(found)
    return end - 1
  }
}

/** Personal data. */
export const pii: Detector<'pii'> = {
  id: 'pii',
  kinds: detectorKinds.pii,
  lookBehind: {
    address: address.lookBehind,
    creditCard: creditCard.lookBehind,
    dateOfBirth: dateOfBirth.lookBehind,
    email: emailLookBehind,
    iban: iban.lookBehind,
    ipAddress: ipAddress.lookBehind,
    nationalId: nationalId.lookBehind,
    phone: phone.lookBehind,
    usSsn: usSsn.lookBehind,
  },
  scan: (text) => ({ findings: new PiiScan(text).run() }),
}
