import { inspect } from 'node:util'
import { CredentialDocument } from '@signalbox/sdk/contract'
import { describeViolations, digestOf, fits, open, type SealKeyPair, violationsOf } from '@signalbox/sdk/node'
import { Type } from 'typebox'
import { Rejection } from '../documents/rejection.ts'
import type { Expectation, Verified } from '../documents/verify-document.ts'

/** What a sealed document opens to: values by the name in `secret:NAME`. */
const Opened = Type.Record(Type.String({ maxLength: 512 }), Type.String({ maxLength: 65_536 }))

/** The opened secrets. They cannot be listed, printed or serialised, only asked for by name. */
export class Secrets {
  readonly #values: ReadonlyMap<string, string>

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.#values = new Map(Object.entries(values))
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  toJSON(): string {
    return '[secrets]'
  }

  [inspect.custom](): string {
    return '[secrets]'
  }
}

export interface OpenedCredentials {
  readonly head: Verified<{ sequence: number; rollbackOf: null }>
  readonly secrets: Secrets
}

/**
 * Opens the credential document of this gateway.
 * @throws Rejection where it is not valid, for somebody else, or was changed; never with a secret in it.
 */
export async function openCredentials(
  text: string,
  key: SealKeyPair,
  expectation: Pick<Expectation, 'organisationId' | 'environment'>,
): Promise<OpenedCredentials> {
  const document = parse(text)
  if (
    document.organisationId !== expectation.organisationId ||
    document.environment !== expectation.environment
  ) {
    throw new Rejection('the credentials are of another organisation or environment')
  }
  if (document.recipient !== key.publicKey) {
    throw new Rejection("the credentials are sealed to another key than this gateway's")
  }
  const opened = parseOpened(await openSealed(document, key))
  const head = { sequence: document.sequence, rollbackOf: null }
  return { head: { document: head, digest: digestOf(text) }, secrets: new Secrets(opened) }
}

function parse(text: string): CredentialDocument {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Rejection('the credentials are not JSON', { cause })
  }
  if (fits(CredentialDocument, value)) return value
  throw new Rejection(
    `the credentials are not valid: ${describeViolations(violationsOf(CredentialDocument, value))}`,
  )
}

async function openSealed(document: CredentialDocument, key: SealKeyPair): Promise<string> {
  try {
    return await open(key.privateKey, document)
  } catch (cause) {
    throw new Rejection((cause as Error).message, { cause })
  }
}

/** No cause and no detail in the message: a parser's error quotes what it read. */
function parseOpened(text: string): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text)
    if (fits(Opened, value)) return value
  } catch {
    // Said below.
  }
  throw new Rejection('the opened credentials are not an object of texts')
}
