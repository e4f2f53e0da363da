import { readFileSync } from 'node:fs'

/*
 * Loaded before a program (`node --import`): its wall clock jumps by the milliseconds that a file holds. The monotonic
 * clock goes on as it was, as on a machine whose time is set.
 */
const file = process.env.SIGNALBOX_TEST_CLOCK_FILE ?? ''
const readEveryMs = 100
const trueNow = Date.now
let offsetMs = 0
setInterval(() => {
  try {
    // A clock shows whole milliseconds.
    offsetMs = Math.round(Number(readFileSync(file, 'utf8'))) || 0
  } catch {
    // Not written yet.
  }
}, readEveryMs).unref()
Date.now = () => trueNow() + offsetMs
