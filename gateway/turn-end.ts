/*
 * What one turn of the event loop comes to is written down and sent at its end, for all its calls together: the files
 * that a killed process is judged by are written once for a turn instead of once for each line, before anything that
 * they tell of leaves; and requests and answers leave one after the other. Both run on code and data that are warm from
 * the one before. A turn is as long as its work: a gateway at rest ends it at once.
 */
let writers: (() => void)[] = []
let senders: (() => void)[] = []
let isScheduled = false

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(endTurn)
}

function endTurn(): void {
  isScheduled = false
  commitTurn()
  const sending = senders
  senders = []
  for (const send of sending) {
    try {
      send()
    } catch (error) {
      // A bug, told like all others; what else there is to send leaves all the same.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** Writes down, before anything else of this turn is sent. Does not throw. */
export function writeAtTurnEnd(write: () => void): void {
  writers.push(write)
  schedule()
}

/** Sends at the end of this turn, when everything is written down that is to be. */
export function sendAtTurnEnd(send: () => void): void {
  senders.push(send)
  schedule()
}

/** Writes down what waits for the end of this turn: for what cannot wait for it to be sent. */
export function commitTurn(): void {
  if (writers.length === 0) return
  const writing = writers
  writers = []
  for (const write of writing) write()
}
