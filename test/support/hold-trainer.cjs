// Preloaded into every thread with NODE_OPTIONS: holds the trainer's, before it takes its next batch, while the file HOLD_TRAINER exists.
const { existsSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (!isMainThread) {
  const { wait } = Atomics;
  const never = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait = (cells, index, value, timeout) => {
    const answer = wait(cells, index, value, timeout);
    while (existsSync(process.env.HOLD_TRAINER)) wait(never, 0, 0, 20);
    return answer;
  };
}
