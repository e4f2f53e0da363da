const opening = /[[{]/
const fence = /^\s*```[\w-]*\s*\n?|\n?\s*```\s*$/g
const depthMax = 512

/**
 * The JSON that a text was meant to be: without a fence or prose around it, without commas before a closing bracket,
 * with what was left open closed. Undefined where there is no bracket at all, or still no JSON.
 */
export function repairJson(text: string): string | undefined {
  const bare = text.replace(fence, '')
  const start = bare.search(opening)
  if (start === -1) return undefined
  const repaired = closed(bare, start)
  try {
    JSON.parse(repaired)
    return repaired
  } catch {
    return undefined
  }
}

/** One value from a bracket on, with its closing brackets, whether they were there or not. */
function closed(text: string, start: number): string {
  const open: string[] = []
  let out = ''
  let isString = false
  for (let index = start; index < text.length; index++) {
    const sign = text[index] ?? ''
    if (isString) {
      out += sign
      if (sign === '\\') out += text[++index] ?? ''
      else if (sign === '"') isString = false
      continue
    }
    if (sign === '"') isString = true
    if (sign === '{' || sign === '[') open.push(sign === '{' ? '}' : ']')
    if (sign === '}' || sign === ']') {
      out = withoutComma(out)
      if (open.pop() !== sign) return ''
    }
    out += sign
    if (open.length === 0) return out
    if (open.length > depthMax) return ''
  }
  return withoutComma(isString ? `${out}"` : out) + open.reverse().join('')
}

function withoutComma(text: string): string {
  return text.replace(/,\s*$/, '')
}
