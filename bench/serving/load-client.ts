/**
 * Asks a route at a steady rate over keep-alive connections, one request at a time on each, in a process of its own:
 * `load-client.ts PORT REQUESTS_PER_SECOND SECONDS CONNECTIONS BODY`. Prints one document. A request's time begins when it was
 * due, whether or not a connection was free then. The first seconds, `warmUpSeconds`, do not count.
 */
import { connect, type Socket } from 'node:net';
import { quantile } from '../measure.ts';
import { warmUpSeconds } from './warm-up.ts';

/** What a load client saw. */
export interface Load {
  readonly requests: number;
  /** Answered with another status than 200, or not at all. */
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly cpuSeconds: number;
}

const [port = 0, ratePerSecond = 0, seconds = 0, connections = 0] = process.argv.slice(2, 6).map(Number);
const body = process.argv[6] ?? '{}';
const head = `POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
const bytes = Buffer.from(`${head}\r\n\r\n${body}`);
const uncounted = ratePerSecond * warmUpSeconds;
const total = uncounted + ratePerSecond * seconds;
const latenciesMs = new Float64Array(total);
const free: Asker[] = [];
let sent = 0;
let answered = 0;
let failed = 0;

/** A connection, and when the request on it was due. */
class Asker {
  #socket: Socket;
  #dueMs = 0;
  #rest = 0;
  #isLast = false;

  constructor() {
    this.#socket = this.#connected();
  }

  ask(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.removeAllListeners('close').destroy();
  }

  #connected(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (part) => {
      this.#hear(part);
    });
    socket.on('error', fail);
    socket.on('close', () => {
      if (socket === this.#socket) this.#socket = this.#connected();
    });
    return socket;
  }

  #hear(part: Buffer): void {
    if (this.#rest === 0) {
      const text = part.toString('latin1');
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
      if (!text.startsWith('HTTP/1.1 200 ')) failed += 1;
      this.#rest = text.indexOf('\r\n\r\n') + 4 + Number(length);
      // A server takes so many requests over a connection and says with the last that it closes it.
      this.#isLast = /\r\nconnection: close\r\n/i.test(text);
    }
    this.#rest -= part.length;
    if (this.#rest > 0) return;
    latenciesMs[answered] = performance.now() - this.#dueMs;
    answered += 1;
    if (this.#isLast) {
      const last = this.#socket;
      this.#socket = this.#connected();
      last.destroy();
    }
    free.push(this);
  }
}

function fail(error: Error): never {
  throw error;
}

const askers = Array.from({ length: connections }, () => new Asker());
free.push(...askers);
const startMs = performance.now();
const cpuBefore = process.cpuUsage();
const timer = setInterval(() => {
  const nowMs = performance.now();
  const due = Math.min(total, Math.floor(((nowMs - startMs) * ratePerSecond) / 1000));
  // In turn, so that none lies idle until the server closes it.
  for (; sent < due && free.length > 0; sent += 1) free.shift()?.ask(startMs + (1000 * sent) / ratePerSecond);
  // What is not answered a while after the end has failed.
  if (answered < total && nowMs < startMs + 1000 * (warmUpSeconds + seconds + 10)) return;
  clearInterval(timer);
  for (const asker of askers) asker.end();
  const sorted = latenciesMs.subarray(Math.min(uncounted, answered), answered).sort();
  const { user, system } = process.cpuUsage(cpuBefore);
  const load: Load = {
    requests: total,
    failed: failed + total - answered,
    perSecond: (answered * 1000) / (nowMs - startMs),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? NaN,
    cpuSeconds: (user + system) / 1e6,
  };
  console.log(JSON.stringify(load));
}, 1);
