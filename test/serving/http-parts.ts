import type { TestContext } from 'node:test';
import { httpServer, type HttpOptions, type HttpParts, type HttpServer } from '../../src/serving/http-server.ts';
import type { Predictor } from '../../src/serving/predictor.ts';
import { SimulatedRun } from './simulated-run.ts';

export const loopback: HttpOptions = {
  host: '127.0.0.1',
  port: 0,
  bodyBytes: 1 << 20,
  concurrentRequests: 64,
  token: null,
};

/** What a server shows of a simulated run, with these parts instead. */
export function httpParts(run: SimulatedRun, parts: Partial<HttpParts> = {}): HttpParts {
  return {
    status: () => run.board.status(),
    statusVersion: () => run.board.version,
    notReady: () => run.board.reasons.map(({ message }) => message),
    metrics: (accept) => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: `# accept ${accept}\n` }),
    onAnswer: () => undefined,
    predictions: predictionsOf(null),
    versions: () => null,
    version: '0.1.0',
    ...parts,
  };
}

/** The models `main`, which is served, and `shadow` of a pipeline called weather. */
export function predictionsOf(predictor: Predictor | null): HttpParts['predictions'] {
  return {
    name: 'weather',
    served: 'main',
    models: ['main', 'shadow'],
    unready: 'no model is served yet',
    predictor: () => predictor,
    onPredicted: () => undefined,
  };
}

/** A server on a free port that closes with the test. */
export async function serverOf(
  t: TestContext,
  parts: HttpParts = httpParts(new SimulatedRun(0)),
  options: Partial<HttpOptions> = {},
): Promise<HttpServer> {
  const server = await httpServer({ ...loopback, ...options }, parts);
  t.after(() => server.close());
  return server;
}
