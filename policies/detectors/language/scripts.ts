import type { DetectorKind } from '@signalbox/sdk/contract'

/** Blocks of letters from one code to another, with the language that is most likely in them. */
const blocks: readonly (readonly [first: number, last: number, language: DetectorKind<'language'>])[] = [
  [0x370, 0x3ff, 'el'],
  [0x400, 0x52f, 'ru'],
  [0x590, 0x5ff, 'he'],
  [0x600, 0x6ff, 'ar'],
  [0x900, 0x97f, 'hi'],
  [0xe00, 0xe7f, 'th'],
  [0x3040, 0x30ff, 'ja'],
  [0x3400, 0x9fff, 'zh'],
  [0xac00, 0xd7af, 'ko'],
]
const byCode = new Uint8Array(0x10000)
for (const [index, [first, last]] of blocks.entries()) byCode.fill(index + 1, first, last + 1)

/** Letters by script: those of the Latin one, and the others under the language that is most likely. */
export function countScripts(text: string): {
  latin: number
  others: ReadonlyMap<DetectorKind<'language'>, number>
} {
  const counts = new Uint32Array(blocks.length + 1)
  let latin = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x250) {
      if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code >= 0xc0) latin++
    } else {
      const block = byCode[code] ?? 0
      counts[block] = (counts[block] ?? 0) + 1
    }
  }
  const others = new Map<DetectorKind<'language'>, number>()
  for (const [index, [, , language]] of blocks.entries()) {
    const found = counts[index + 1] ?? 0
    if (found > 0) others.set(language, found)
  }
  return { latin, others }
}
