/**
 * Length of the string values that follow the given openings (`content":"`) in JSON text, by their bytes as
 * written. An estimate for when the upstream's own count is lost; nothing is parsed. Openings leave their
 * first quote out: text is full of quotes, and looking for a rarer letter first is several times faster.
 * Inside a string value the quotes would be escaped.
 */
export function textBytesAfter(json: string, openings: readonly string[]): number {
  let bytes = 0
  for (const opening of openings) {
    let at = json.indexOf(opening)
    while (at !== -1) {
      const start = at + opening.length
      const end = endOfString(json, start)
      bytes += end - start
      at = json.indexOf(opening, end)
    }
  }
  return bytes
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start)
  while (end !== -1) {
    let slashes = 0
    while (json.charCodeAt(end - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return end
    end = json.indexOf('"', end + 1)
  }
  return json.length
}
