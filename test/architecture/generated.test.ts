import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateFiles } from '../../sdk/generate.ts'
import { root } from './source-tree.ts'

describe('generated files', () => {
  for (const [name, text] of generateFiles()) {
    it(`sdk/${name} is what \`npm run generate\` writes`, () => {
      expect(readFileSync(join(root, 'sdk', name), 'utf8')).toBe(text)
    })
  }
})
