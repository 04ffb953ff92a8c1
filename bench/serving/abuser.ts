/**
 * Abuses a server at a steady rate, each kind in turn, every time over a connection of its own: `abuser.ts PORT PER_SECOND SECONDS`.
 * Prints one document.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { abuses, answerTo } from '../../test/support/http-abuses.ts';

/** What an abuser saw. */
export interface Abuse {
  readonly requests: number;
  readonly kinds: number;
  /** Answered as a fault of the server. */
  readonly failed: number;
  /** Cut off with no answer that could still be read: what closes a connection on which more comes may reset it. */
  readonly cutOff: number;
  readonly cpuSeconds: number;
}

const [port = 0, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const total = perSecond * seconds;
const requests = abuses.map(([, text]) => Buffer.from(text));
const startMs = performance.now();
const answers: Promise<string>[] = [];
while (answers.length < total) {
  const due = Math.min(total, Math.floor(((performance.now() - startMs) * perSecond) / 1000));
  while (answers.length < due) {
    const request = requests[answers.length % requests.length]!;
    answers.push(answerTo(connect(port, '127.0.0.1'), request));
  }
  await sleep(1);
}
const statuses = (await Promise.all(answers)).map((answer) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]));
const { user, system } = process.cpuUsage();
const abuse: Abuse = {
  requests: total,
  kinds: abuses.length,
  failed: statuses.filter((status) => status >= 500).length,
  cutOff: statuses.filter((status) => Number.isNaN(status)).length,
  cpuSeconds: (user + system) / 1e6,
};
console.log(JSON.stringify(abuse));
