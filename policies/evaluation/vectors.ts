import { setImmediate } from 'node:timers/promises'
import { type Catalogue, type CompiledWorkspace, Facts, type GoldenVector } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { columnsOf } from '../cases/model-columns.ts'
import { type CatalogueIndex, indexCatalogue } from '../catalogue/index-catalogue.ts'
import type { EvaluationInput, Program } from '../program.ts'
import { LayerPath, namesOf } from './layer-path.ts'

/** How long the thread is held in one go; a single vector may take longer by what one evaluation may. */
const sliceMs = 5

/** What a golden vector asks: one workspace alone, default params, what the catalogue knows of models. */
export function vectorInput(
  program: Program,
  facts: Facts,
  known: { compiled: CompiledWorkspace; catalogue: CatalogueIndex },
): EvaluationInput {
  const { compiled, catalogue } = known
  const names = new LayerPath([0], [namesOf(compiled, program.environment)])
  const models = facts.models.map(({ target }) => columnsOf(target, { compiled, names, catalogue }))
  return { facts, params: {}, models, layers: [program.workspaces.indexOf(compiled.name)] }
}

/**
 * Replays golden vectors of a version: the same policies in the same engine decide the same here as where the version
 * was built. Vectors of another environment than the program's are passed over. Other work of this thread gets its turn
 * every few milliseconds.
 * Returns what does not hold, a line per vector; empty where all hold.
 */
export async function verifyVectors(
  program: Program,
  vectors: readonly GoldenVector[],
  known: { readonly compiled: CompiledWorkspace; readonly catalogue: Catalogue },
): Promise<string[]> {
  const catalogue = indexCatalogue(known.catalogue)
  await setImmediate()
  const mine = vectors.filter(({ environment }) => environment === program.environment)
  const wrong: string[] = []
  let turnMs = performance.now()
  for (const { name, facts, decisionDigest } of mine) {
    if (performance.now() - turnMs > sliceMs) {
      await setImmediate()
      turnMs = performance.now()
    }
    if (!fits(Facts, facts)) {
      wrong.push(`"${name}" has no valid facts`)
      continue
    }
    const input = vectorInput(program, facts, { compiled: known.compiled, catalogue })
    const actual = program.evaluate(input).decisionDigest
    if (actual !== decisionDigest) wrong.push(`"${name}" gives ${actual}, not ${decisionDigest}`)
  }
  return wrong
}
