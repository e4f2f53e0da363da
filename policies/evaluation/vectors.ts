import { type Catalogue, type CompiledWorkspace, Facts, type GoldenVector } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { columnsOf } from '../cases/model-columns.ts'
import { type CatalogueIndex, indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { Program } from '../program.ts'
import { LayerPath, namesOf } from './layer-path.ts'

/** Evaluates facts as a golden vector does: one workspace alone, default params, what the catalogue knows of models. */
export function digestOfVector(
  program: Program,
  facts: Facts,
  known: { compiled: CompiledWorkspace; catalogue: CatalogueIndex },
): string {
  const { compiled, catalogue } = known
  const names = new LayerPath([0], [namesOf(compiled, program.environment)])
  const models = facts.models.map(({ target }) => columnsOf(target, { compiled, names, catalogue }))
  const layers = [program.workspaces.indexOf(compiled.name)]
  return program.evaluate({ facts, params: {}, models, layers }).decisionDigest
}

/**
 * Replays golden vectors of a version: the same policies in the same engine decide the same here as where the version
 * was built. Vectors of another environment than the program's are passed over.
 * Returns what does not hold, a line per vector; empty where all hold.
 */
export function verifyVectors(
  program: Program,
  vectors: readonly GoldenVector[],
  known: { readonly compiled: CompiledWorkspace; readonly catalogue: Catalogue },
): string[] {
  const catalogue = indexCatalogue(known.catalogue)
  const mine = vectors.filter(({ environment }) => environment === program.environment)
  return mine.flatMap(({ name, facts, decisionDigest }) => {
    if (!fits(Facts, facts)) return [`"${name}" has no valid facts`]
    const actual = digestOfVector(program, facts, { compiled: known.compiled, catalogue })
    return actual === decisionDigest ? [] : [`"${name}" gives ${actual}, not ${decisionDigest}`]
  })
}
