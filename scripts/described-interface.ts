import { httpServer } from '../src/serving/http-server.ts';
import type { OpenApi } from '../src/serving/openapi.ts';

/** What a server without a pipeline says of itself. */
export async function describedInterface(): Promise<OpenApi> {
  const none = (): never => {
    throw new Error('only the description is asked for');
  };
  const server = await httpServer(
    { host: '127.0.0.1', port: 0, bodyBytes: 1, concurrentRequests: 1, token: null },
    {
      status: none,
      statusVersion: none,
      notReady: none,
      metrics: none,
      onAnswer: () => undefined,
      version: '',
      versions: none,
      predictions: { name: '', served: '', models: [], unready: '', predictor: () => null, onPredicted: none },
    },
  );
  try {
    return (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
  } finally {
    await server.close();
  }
}
