import type { Facts, PolicyMatch } from '@signalbox/sdk/contract'

/** Whether a text fits a glob, where `*` stands for any characters. Takes time linear in the text for any glob. */
export function fitsGlob(text: string, glob: string): boolean {
  const parts = glob.split('*')
  const [first = '', ...others] = parts
  const last = others.pop()
  if (last === undefined) return text === glob
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of others) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

function isAtOrBelow(path: readonly string[], node: readonly string[]): boolean {
  return node.every((name, index) => path[index] === name)
}

/** Compiles which calls a policy is asked about; undefined where it is asked about all. */
export function compileMatch(match: PolicyMatch | undefined): ((facts: Facts) => boolean) | undefined {
  if (match === undefined) return undefined
  const { operation, route, node } = match
  const nodePath = node?.split('/').filter((name) => name !== '')
  return ({ request, subject }) =>
    (operation === undefined || request.operation === operation) &&
    (route === undefined || fitsGlob(request.route, route)) &&
    (nodePath === undefined || isAtOrBelow(subject.node.path, nodePath))
}
