/** What the server programs share beside the contract: validation, digests, signatures, settings, logging. */
export * from './config.ts'
export * from './digest.ts'
export * from './envelope.ts'
export * from './key-index.ts'
export * from './log.ts'
export * from './sealed-box.ts'
export * from './secrets.ts'
export * from './validate.ts'
