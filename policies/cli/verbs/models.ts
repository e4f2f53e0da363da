import { indexCatalogue, loadCatalogue } from '@signalbox/policies'
import type { CatalogueModel, PriceRow } from '@signalbox/sdk/contract'
import { Failure } from '../context.ts'
import type { Output } from '../output.ts'
import { examples, type Verb } from '../verb.ts'

const shownMax = 200

/** Pico-dollars per unit as USD per million units: `2.50`. */
function usdPerMillion(picoUsd: number | undefined): string {
  if (picoUsd === undefined) return '-'
  const [whole = '0', fraction = ''] = String(picoUsd / 1e6).split('.')
  return `${whole}.${fraction.padEnd(2, '0')}`
}

function stateOf({ retires, deprecated, free }: CatalogueModel): string {
  if (retires !== undefined) return `ends ${retires}`
  if (deprecated === true) return 'deprecated'
  return free === true ? 'free' : ''
}

function rowOf(model: CatalogueModel): string[] {
  const units = model.prices?.[0]?.units
  return [
    `${model.provider}/${model.id}`,
    model.contextTokens === undefined ? '-' : String(model.contextTokens),
    usdPerMillion(units?.input),
    usdPerMillion(units?.output),
    (model.capabilities ?? []).join(' '),
    stateOf(model),
  ]
}

function printPrices(prices: readonly PriceRow[], output: Output): void {
  output.table(
    ['INPUT OVER', 'UNIT', 'USD PER MILLION'],
    prices.flatMap(({ inputOver, units }) =>
      Object.entries(units).map(([unit, pico]) => [
        inputOver === undefined ? '-' : String(inputOver),
        unit,
        usdPerMillion(pico),
      ]),
    ),
  )
}

function printModel(model: CatalogueModel, output: Output): void {
  const { prices, spellings, ...facts } = model
  for (const [name, value] of Object.entries(facts)) {
    output.line(`${name.padEnd(18)}${Array.isArray(value) ? value.join(', ') : String(value)}`)
  }
  if (spellings.length > 0) output.line(`${'spellings'.padEnd(18)}${spellings.join(', ')}`)
  if (prices === undefined) output.line(`${'prices'.padEnd(18)}not known; give them under "catalogue:"`)
  else printPrices(prices, output)
}

/** Models whose name has all the words, of one provider where it is named. */
function search(words: readonly string[], provider: string | undefined): CatalogueModel[] {
  const wanted = words.map((word) => word.toLowerCase())
  return loadCatalogue().catalogue.models.filter((model) => {
    const text = `${model.provider}/${model.id} ${model.name ?? ''}`.toLowerCase()
    return (
      (provider === undefined || model.provider === provider) && wanted.every((word) => text.includes(word))
    )
  })
}

export const verb: Verb = {
  name: 'models',
  register(program, { output }) {
    const models = program.command('models').description('what the catalogue of this release knows of models')
    models
      .command('list [words...]')
      .description('models whose names have all the words, with limits and prices in USD per million tokens')
      .option('--provider <provider>', 'only of this provider')
      .addHelpText('after', examples(['signalbox models list opus', 'signalbox models list --provider groq']))
      .action((words: string[], { provider }: { provider?: string }) => {
        const found = search(words, provider)
        const { source } = loadCatalogue().catalogue
        output.document({ source, digest: loadCatalogue().digest, models: found })
        output.table(
          ['MODEL', 'CONTEXT', 'INPUT', 'OUTPUT', 'CAPABILITIES', ''],
          found.slice(0, shownMax).map(rowOf),
        )
        if (found.length > shownMax) output.note(`${found.length - shownMax} more; name some words of theirs`)
        output.note(source)
      })
    models
      .command('show <model>')
      .description('all that is known of a model, by any of its names: `openai/gpt-5.2`, `gpt-5.2`')
      .addHelpText('after', examples(['signalbox models show anthropic/claude-opus-4-8']))
      .action((name: string) => {
        const index = indexCatalogue(loadCatalogue().catalogue)
        const slash = name.indexOf('/')
        const model =
          (slash > 0 ? index.find(name.slice(0, slash), name.slice(slash + 1)) : undefined) ??
          index.find(undefined, name)
        if (model === undefined) {
          throw new Failure(
            `the catalogue does not know "${name}"; it works all the same, with its price under "catalogue:"`,
            'not_found',
          )
        }
        output.document(model)
        printModel(model, output)
      })
  },
}
