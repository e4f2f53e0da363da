/**
 * What `@signalbox/sdk/node` means where there is no Node: the part of it that deciding calls needs, with the same
 * results. Bundlers for browsers come here by the condition `browser` of the package's exports.
 */
export * from '../node/canonical-json.ts'
export * from '../node/validate.ts'
export * from './digest.ts'
