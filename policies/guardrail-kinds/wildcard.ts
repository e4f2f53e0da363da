/** Whether a name is meant by a pattern in which `*` stands for any characters. Linear, without regard to case. */
export function fitsWildcard(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*')
  const text = name.toLowerCase()
  if (rest.length === 0) return text === first
  const last = rest.pop() ?? ''
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** Why a name is found: `denied`, `notAllowed`; undefined where it may be there. */
export function objectionTo(
  name: string,
  { allow, deny }: { readonly allow?: readonly string[]; readonly deny?: readonly string[] },
): 'denied' | 'notAllowed' | undefined {
  if (deny?.some((pattern) => fitsWildcard(pattern, name)) === true) return 'denied'
  if (allow?.some((pattern) => fitsWildcard(pattern, name)) === false) return 'notAllowed'
  return undefined
}
