/** Bytes of a file as they stand in a request, or where they are. */
export interface MediaSource {
  readonly mediaType?: string
  readonly base64?: string
  readonly url?: string
}

/** `data:image/png;base64,…` as its parts; any other text is taken as a URL. */
export function readMediaUrl(url: string): MediaSource {
  if (!url.startsWith('data:')) return { url }
  const comma = url.indexOf(',')
  const head = comma === -1 ? '' : url.slice(5, comma)
  if (!head.endsWith(';base64')) return { url }
  const mediaType = head.slice(0, -';base64'.length).split(';')[0]
  return { mediaType: mediaType || 'application/octet-stream', base64: url.slice(comma + 1) }
}

export function writeMediaUrl(source: MediaSource): string | undefined {
  if (source.base64 === undefined) return source.url
  return `data:${source.mediaType ?? 'application/octet-stream'};base64,${source.base64}`
}
