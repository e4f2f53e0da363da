/**
 * Every table of the control plane, by concern. Rules that hold for all: each row carries its organisation; ids are
 * UUIDv7; times are `timestamptz` in the database and milliseconds in code; JSON columns hold contract types; what is
 * called append-only is never updated or deleted by a program. A change here needs a new migration.
 */
export * from './tables/access.ts'
export * from './tables/alerts.ts'
export * from './tables/batches.ts'
export * from './tables/documents.ts'
export * from './tables/drills.ts'
export * from './tables/identity.ts'
export * from './tables/ledger.ts'
export * from './tables/limits.ts'
export * from './tables/records.ts'
export * from './tables/retention.ts'
export * from './tables/rollouts.ts'
export * from './tables/self-check.ts'
export * from './tables/stored.ts'
export * from './tables/trust.ts'
export * from './tables/versions.ts'
