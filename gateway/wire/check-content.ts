import type { Problems } from './problems.ts'

/** No provider takes a larger image; one that is refused there has been sent for nothing. */
export const imageBytesMax = 20 * 1024 * 1024
const mediaType = /^[a-z]+\/[\w.+*-]+(?:;.*)?$/i

/** An image or another file as base64: of a type that there is, not empty, and not too large where it is an image. */
export function checkBase64(
  { type, data }: { readonly type: string; readonly data: string },
  paths: { readonly type: string; readonly data: string },
  problems: Problems,
): void {
  if (!mediaType.test(type)) problems.add(paths.type, 'must be a media type, such as image/png')
  if (data === '') problems.add(paths.data, 'must not be empty')
  const isTooLarge = type.startsWith('image/') && data.length * 0.75 > imageBytesMax
  if (isTooLarge) problems.add(paths.data, `must be an image of at most ${imageBytesMax / 1024 / 1024} MiB`)
}

/** A URL of an image, or the image itself in a `data:` one. */
export function checkImageUrl(url: string, path: string, problems: Problems): void {
  if (url === '') problems.add(path, 'must not be empty')
  if (!url.startsWith('data:')) return
  const comma = url.indexOf(',')
  const head = url.slice(5, Math.max(5, comma))
  const type = head.split(';')[0] ?? ''
  if (comma === -1 || !head.endsWith(';base64')) problems.add(path, 'must be `data:TYPE;base64,…`')
  else if (!type.startsWith('image/')) problems.add(path, `must be an image, not ${type || 'of no type'}`)
  else {
    const data = { type, data: url.length - comma === 1 ? '' : url.slice(comma + 1) }
    checkBase64(data, { type: path, data: path }, problems)
  }
}

/** Ids of the calls of tools so far; a result has to be of one of them. */
export class CallsSoFar {
  readonly #ids = new Set<unknown>()

  called(id: unknown): void {
    this.#ids.add(id)
  }

  /** Notes a result without its call. */
  answered(id: unknown, path: string, problems: Problems): void {
    if (typeof id === 'string' && !this.#ids.has(id))
      problems.add(path, 'is the id of no tool call before it')
  }
}
