import { sendAtTurnEnd } from '../../../gateway/turn-end.ts'
import { openJournal, recordCalls } from './running-journal.ts'

/** Records calls and prints how many, until it is killed. Started by a test. */
const [folder = '', incarnation = '', url = ''] = process.argv.slice(2)
const journal = openJournal({ url, token: 'sbg_x' }, { folder, incarnation })
let count = 0
setInterval(() => {
  recordCalls(journal, 50, incarnation)
  count += 50
  const taken = count
  // As the answer of a call leaves: when its sequence is noted.
  sendAtTurnEnd(() => process.stdout.write(`${taken}\n`))
}, 1)
