/** Entry of the thread that predicts with models from files, one request after the other, until it is ended. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { refusedBy, type Refused } from '../thread-readiness.ts';
import { type ForwardNet, forwardNets } from './forward-net.ts';
import type { ScoringAnswer, ScoringReady, ScoringRequest, ScoringSetup } from './scoring-protocol.ts';

const port = parentPort;
assert(port !== null, 'scoring-thread.ts runs in a worker thread only');

function say(message: ScoringReady | ScoringAnswer | Refused, transfer: ArrayBuffer[] = []): void {
  port!.postMessage(message, transfer);
}

function answer(nets: ReadonlyMap<string, ForwardNet>, { model, weights, rowCount, features }: ScoringRequest): void {
  const net = nets.get(model)!;
  if (weights !== null) net.set(weights);
  const outputs = net.outputs(features, rowCount);
  say(outputs, [outputs.buffer as ArrayBuffer]);
}

try {
  const nets = await forwardNets(workerData as ScoringSetup);
  port.on('message', (request: ScoringRequest) => {
    answer(nets, request);
  });
  say({ type: 'ready', weights: Object.fromEntries([...nets].map(([name, net]) => [name, net.weights])) });
} catch (error) {
  say(refusedBy(error));
}
