import { Refusal } from '@signalbox/sdk/contract'

/** A place in a list that goes from new to old: by time, then by id downwards. */
export interface PagePlace {
  readonly timeMs: number
  readonly id: string
}

export function encodeCursor({ timeMs, id }: PagePlace): string {
  return Buffer.from(`${timeMs} ${id}`, 'utf8').toString('base64url')
}

/** @throws Refusal `invalid_request` for a text that no page ended with. */
export function decodeCursor(cursor: string | undefined): PagePlace | undefined {
  if (cursor === undefined) return undefined
  const parts = /^(\d{1,15}) ([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (parts?.[1] === undefined || parts[2] === undefined) {
    throw new Refusal('invalid_request', {
      message: 'The cursor is not one that this search gave.',
      param: 'cursor',
    })
  }
  return { timeMs: Number(parts[1]), id: parts[2] }
}
