import { readFileSync, writeFileSync } from 'node:fs'
import { NamedSchemas } from './generator/named-schemas.ts'
import { noticesText } from './generator/notices.ts'
import { openApiDocument } from './generator/openapi.ts'
import { clientSource } from './generator/typescript.ts'

/** The generated files, by name relative to this folder. A test compares them with what is committed. */
export function generateFiles(): ReadonlyMap<string, string> {
  const named = new NamedSchemas()
  const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return new Map([
    ['openapi.json', `${JSON.stringify(openApiDocument(version, named), null, 2)}\n`],
    ['client.generated.ts', clientSource(named)],
    ['../web/public/third-party-notices.txt', noticesText()],
  ])
}

if (import.meta.main) {
  for (const [name, text] of generateFiles()) writeFileSync(new URL(name, import.meta.url), text)
}
