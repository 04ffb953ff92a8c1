import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { HttpServer } from '../../src/serving/http-server.ts';
import type { PipelineStatus } from '../../src/serving/status.ts';
import { httpParts, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';

interface FedDocument extends PipelineStatus {
  readonly history: PipelineStatus['history'] & { readonly from?: number };
}

interface FedEvent {
  readonly name: string;
  readonly document: FedDocument;
}

function learned(): SimulatedRun {
  const run = new SimulatedRun(0);
  run.start();
  for (let step = 0; step < 20; step += 1) run.step();
  return run;
}

function served(t: TestContext, run: SimulatedRun, status = () => run.board.status()): Promise<HttpServer> {
  return serverOf(t, httpParts(run, { status, notReady: () => [] }));
}

async function* eventsOf(response: Response): AsyncGenerator<FedEvent> {
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
      if (name !== undefined && data !== undefined) yield { name, document: JSON.parse(data) as FedDocument };
    }
  }
}

const tickMs = 100;

suite('the event feed', () => {
  test('sends the whole document at connect, then only the new points of the history', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const run = learned();
    const { url } = await served(t, run);
    const response = await fetch(`${url}/events`);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const names: string[] = [];
    let points: readonly unknown[] = [];
    for await (const { name, document } of eventsOf(response)) {
      const { from, points: fresh } = document.history;
      points = name === 'state' ? fresh : [...points.slice(0, from), ...fresh];
      assert.deepEqual(points, JSON.parse(JSON.stringify(run.board.status().history.points)));
      names.push(name);
      if (names.length === 4) break;
      for (let step = 0; step < 5; step += 1) run.step();
      t.mock.timers.tick(tickMs);
    }
    assert.deepEqual(names, ['state', 'update', 'update', 'update']);
  });

  test('an update holds the members that changed since the last one, for whoever came when', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const run = learned();
    const { url } = await served(t, run);
    const early = eventsOf(await fetch(`${url}/events`));
    const next = async (events: typeof early): Promise<FedEvent> => (await events.next()).value as FedEvent;
    const first = await next(early);
    run.step();
    // Who comes in between gets the whole, and the first is brought to the same state.
    const late = eventsOf(await fetch(`${url}/events`));
    const whole = await next(late);
    assert.equal(whole.name, 'state');
    const caughtUp = { ...first.document, ...(await next(early)).document };
    assert.deepEqual({ ...caughtUp, history: null }, { ...whole.document, history: null });
    run.nowMs += 1000;
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'away' });
    t.mock.timers.tick(tickMs);
    const update = (await next(early)).document;
    assert.deepEqual(update, (await next(late)).document);
    assert.equal(update.state, 'troubled');
    for (const name of ['features', 'models', 'checkpoints', 'identity']) assert.ok(!(name in update), name);
    await early.return(undefined);
    await late.return(undefined);
  });

  test('sends the whole document again when the history was thinned', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const run = learned();
    const { url } = await served(t, run);
    const names: string[] = [];
    for await (const { name, document } of eventsOf(await fetch(`${url}/events`))) {
      names.push(name);
      if (names.length === 3) {
        assert.equal(document.history.revision, 1);
        break;
      }
      run.step();
      if (names.length === 2) while (run.board.status().history.revision === 0) run.step();
      t.mock.timers.tick(tickMs);
    }
    assert.deepEqual(names, ['state', 'update', 'state']);
  });

  test('asks for at most ten documents a second, and for one where only time has passed', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const run = learned();
    let asked = 0;
    const { url } = await served(t, run, () => {
      asked += 1;
      return run.board.status();
    });
    const response = await fetch(`${url}/events`);
    asked = 0;
    for (let ms = 0; ms < 1000; ms += 10) {
      run.step();
      t.mock.timers.tick(10);
    }
    assert.equal(asked, 10);
    t.mock.timers.tick(9 * tickMs);
    assert.equal(asked, 10);
    t.mock.timers.tick(tickMs);
    assert.equal(asked, 11);
    await response.body?.cancel();
  });

  test('refuses more clients than it can serve and takes them again when others leave', async (t) => {
    const { url } = await served(t, learned());
    const leaving = new AbortController();
    const watching = await Promise.all(
      Array.from({ length: 32 }, () => fetch(`${url}/events`, { signal: leaving.signal })),
    );
    assert.ok(watching.every(({ status }) => status === 200));
    const refused = await fetch(`${url}/events`);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '5');
    await refused.text();
    leaving.abort();
    let again = await fetch(`${url}/events`);
    while (again.status === 503) {
      await again.text();
      again = await fetch(`${url}/events`);
    }
    assert.equal(again.status, 200);
    await again.body?.cancel();
  });

  test('drops a client that does not read and asks for no more documents then', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const run = learned();
    const padding = 'x'.repeat(4 * 1024 * 1024);
    let asked = 0;
    const { port } = await served(t, run, () => {
      asked += 1;
      return { ...run.board.status(), sentence: padding };
    });
    const socket = connect(port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
    socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    while (asked === 0) await setImmediate();
    for (let tick = 0; tick < 100; tick += 1) {
      const before = asked;
      run.step();
      t.mock.timers.tick(tickMs);
      await setImmediate();
      if (asked === before) break;
    }
    assert.ok(asked < 20, `${asked} documents of 4 MiB were written to a client that reads none`);
  });
});
