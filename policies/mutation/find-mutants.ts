import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { DocumentError } from '../compile/source-document.ts'
import { TextPositions } from '../compile/text-position.ts'
import type { Edit, Mutant } from './edits.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateTypeScript } from './mutate-typescript.ts'

/** Another alias or target for the place of one that a policy names; undefined where there is none. */
function otherModels({ models, targets }: CompiledWorkspace): (name: string) => string | undefined {
  const known = new Set([...Object.keys(models), ...targets])
  const names = [...known].sort()
  const meaning = (name: string): readonly string[] => models[name] ?? [name]
  const differ = (a: string, b: string): boolean => JSON.stringify(meaning(a)) !== JSON.stringify(meaning(b))
  return (name) => {
    if (!known.has(name)) return undefined
    const first = names.find((other) => meaning(other)[0] !== meaning(name)[0])
    return first ?? names.find((other) => differ(other, name))
  }
}

/** The mutants of a workspace in the order of files and places; one edit stands once. */
export function findMutants(
  files: SourceFiles,
  compiled: CompiledWorkspace,
  wanted: (file: string) => boolean,
): Mutant[] {
  const otherModel = otherModels(compiled)
  const definitions = [...compiled.policies, ...compiled.guardrails].map(({ file }) => file)
  return [...new Set(definitions)]
    .filter(wanted)
    .sort()
    .flatMap((file) => {
      const text = files.get(file) ?? ''
      const positions = new TextPositions(text)
      const edits = editsOf(file, text, otherModel)
      const once = new Map(edits.map((edit) => [JSON.stringify([edit.start, edit.end, edit.text]), edit]))
      const ordered = [...once.values()].sort(
        (a, b) => a.start - b.start || a.end - b.end || (a.text < b.text ? -1 : 1),
      )
      return ordered.map((edit): Mutant => ({ ...edit, file, ...positions.at(edit.start) }))
    })
}

function editsOf(
  file: string,
  text: string,
  otherModel: (name: string) => string | undefined,
): readonly Edit[] {
  try {
    const mutate = file.endsWith('.json') ? mutateJson : mutateTypeScript
    return mutate(file, text, otherModel)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    return []
  }
}
