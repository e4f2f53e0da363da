import type { CompiledWorkspace } from '@signalbox/sdk/contract'

const numbers = /(?<![\w.])-?\d[\d_]*(?:\.\d+)?/g
const texts = /'([^'\\]*)'|"([^"\\]*)"/g
const valuesMax = 32

/** Values that conditions compare a fact with, and their neighbours: where policies change their mind. */
export interface Interesting {
  readonly numbers: readonly number[]
  readonly texts: readonly string[]
}

/**
 * What conditions say of each fact that they read, from their text: `f.request.bytes > 4000` makes 3999, 4000 and
 * 4001 interesting for `request.bytes`.
 */
export function interestingValues(compiled: CompiledWorkspace): (path: string) => Interesting {
  const byPath = new Map<string, { numbers: Set<number>; texts: Set<string> }>()
  const conditions = compiled.policies.flatMap(({ rules }) => rules.flatMap((rule) => rule.conditions))
  for (const { text, reads } of conditions) {
    const found = [...text.matchAll(numbers)].map(([number]) => Number(number.replaceAll('_', '')))
    const said = [...text.matchAll(texts)].map(([, single, double]) => single ?? double ?? '')
    for (const path of reads) {
      const values = byPath.get(path) ?? { numbers: new Set(), texts: new Set() }
      byPath.set(path, values)
      for (const number of found)
        for (const near of [number - 1, number, number + 1]) values.numbers.add(near)
      for (const each of said) values.texts.add(each)
    }
  }
  return (path) => {
    const values = byPath.get(path)
    return {
      numbers: [...(values?.numbers ?? [])].slice(0, valuesMax),
      texts: [...(values?.texts ?? [])].slice(0, valuesMax),
    }
  }
}
