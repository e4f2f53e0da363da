/** What the compiler knows of the place where a rule or a definition is written. */
export interface Site {
  readonly key: string
  /** Positions in the trace; -1: `when` is a function that the compiler could not look into, one position. */
  readonly conditions: number
  /** `then` reads no fact. */
  readonly fixed: boolean
}
const sites = new WeakMap<object, Site>()

/** Called around the options of `rule(…)`, `constraint(…)`, … in compiled sources. */
export function at<Options extends object>(
  key: string,
  conditions: number,
  fixed: boolean,
  options: Options,
): Options {
  sites.set(options, { key, conditions, fixed })
  return options
}

export function siteOf(options: object): Site | undefined {
  return sites.get(options)
}
