import { addFixturesCommand } from '../pull-fixtures.ts'
import type { Verb } from '../verb.ts'

export const verb: Verb = { name: 'fixtures', register: addFixturesCommand }
