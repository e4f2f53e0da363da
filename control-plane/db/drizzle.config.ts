import { defineConfig } from 'drizzle-kit'

/**
 * Makes the SQL of a change of the schema, to be read and adapted by hand before it lands:
 * `npx drizzle-kit generate --config control-plane/db/drizzle.config.ts --name what-changes`
 */
export default defineConfig({
  dialect: 'postgresql',
  schema: './control-plane/db/schema.ts',
  out: './control-plane/db/migrations',
})
