import assert from 'node:assert/strict';
import { once } from 'node:events';
import { MessageChannel, type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { messageOf, TrainerError } from '../errors.ts';
import { startThread } from './start-thread.ts';

/** How long an answer may take; the first waits for shaders to be compiled. */
const patienceMs = 120_000;

interface Line {
  readonly port: MessagePort;
  /** One cell: 1 when the answer to the call under way lies in the port. */
  readonly answered: Int32Array;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly failure: string };

/**
 * A thread whose asynchronous work is called synchronously: the caller sleeps until the answer is there. It puts an engine that can
 * only be awaited under an interface that cannot. One call is under way at a time. The thread ends with its caller's thread.
 */
export class BlockingThread<Facts, Request, Answer> {
  /** What the thread said of itself when it was ready. */
  readonly facts: Facts;
  readonly #name: string;
  readonly #line: Line;

  private constructor(facts: Facts, name: string, line: Line) {
    this.facts = facts;
    this.#name = name;
    this.#line = line;
  }

  /** Starts a module of this folder, which calls `answerCalls`. Rejects with what the module throws before. */
  static async start<Facts, Request, Answer>(name: string): Promise<BlockingThread<Facts, Request, Answer>> {
    const { port1, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const theirs: Line = { port: port2, answered };
    const worker = startThread(name, { workerData: theirs, transferList: [port2] });
    const [facts] = (await once(worker, 'message')) as [Facts];
    worker.unref();
    return new BlockingThread(facts, name, { port: port1, answered });
  }

  /** @throws TrainerError where the thread's work fails or takes longer than two minutes. */
  call(request: Request): Answer {
    const { port, answered } = this.#line;
    Atomics.store(answered, 0, 0);
    port.postMessage(request);
    const isLate = Atomics.wait(answered, 0, 0, patienceMs) === 'timed-out';
    const reply = receiveMessageOnPort(port)?.message as Reply<Answer> | undefined;
    if (isLate || reply === undefined) {
      throw new TrainerError('trainer.failed', `the thread "${this.#name}" gave no answer for ${patienceMs / 1000} s`);
    }
    if ('failure' in reply) throw new TrainerError('trainer.failed', `the thread "${this.#name}": ${reply.failure}`);
    return reply.answer;
  }
}

/** The other end, for the module that `BlockingThread.start` names: says that it is ready, then answers call after call. */
export function answerCalls(facts: unknown, work: (request: never) => Promise<unknown>): void {
  assert(parentPort !== null, 'a module for BlockingThread.start');
  const { port, answered } = workerData as Line;
  port.on('message', (request: unknown) => {
    void work(request as never)
      .then(
        (answer): Reply<unknown> => ({ answer }),
        (error: unknown): Reply<unknown> => ({ failure: messageOf(error) }),
      )
      .then((reply) => {
        port.postMessage(reply);
        Atomics.store(answered, 0, 1);
        Atomics.notify(answered, 0);
      });
  });
  parentPort.postMessage(facts);
}
