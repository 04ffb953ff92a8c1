import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { httpParts, predictionsOf, serverOf } from './http-parts.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SumPredictor, sumVersion } from './sum-predictor.ts';

const swaps = 1000;
const clients = 16;
const rows = Array.from({ length: 50 }, (_, row) => ({ a: row, b: 1 }));
const body = JSON.stringify(rows);

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function post(port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request({ port, agent, method: 'POST', path: '/v1/predict', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve({ status: response.statusCode, text });
      });
    });
    sent.on('error', reject).end(body);
  });
}

test(`${swaps} new versions under load: every request is answered, wholly by one version`, async (t) => {
  const predictor = new SumPredictor(sumVersion(1));
  const { port } = await serverOf(t, httpParts(new SimulatedRun(0), { predictions: predictionsOf(predictor) }));
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  t.after(() => {
    agent.destroy();
  });
  let step = 1;
  const seen = new Set<number>();
  const client = async (): Promise<void> => {
    while (step <= swaps) {
      const { status, text } = await post(port, agent);
      assert.equal(status, 200);
      const answer = JSON.parse(text) as {
        readonly step: number;
        readonly modelVersion: string;
        readonly trainedThrough: unknown;
        readonly predictions: readonly { readonly value: number }[];
      };
      const { id, trainedThrough } = sumVersion(answer.step);
      assert.deepEqual([answer.modelVersion, answer.trainedThrough], [id, trainedThrough]);
      assert.deepEqual(
        answer.predictions.map(({ value }) => value),
        rows.map(({ a, b }) => answer.step * (a + b)),
      );
      seen.add(answer.step);
    }
  };
  const swapping = async (): Promise<void> => {
    while (step <= swaps) {
      await new Promise((resolve) => setImmediate(resolve));
      step += 1;
      predictor.version = sumVersion(step);
    }
  };
  await Promise.all([swapping(), ...Array.from({ length: clients }, client)]);
  assert.ok(seen.size > 50, `${seen.size} versions were seen to answer`);
});
