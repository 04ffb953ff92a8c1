import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string;
  /** `METHOD path` of every request so far. */
  readonly requests: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
}

/** `hang` accepts the request and never answers; `cut` breaks the connection. */
export type Reply = Answer | 'hang' | 'cut';

/** An HTTP server on a free loopback port that answers as `reply` says. */
export async function fakeRegistry(reply: (request: string, body: string) => Reply): Promise<FakeRegistry> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    authorizations.push(request.headers.authorization);
    void bodyOf(request).then((body) => {
      send(reply(requests.at(-1)!, body), response);
    });
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(reply: Reply, response: ServerResponse): void {
  if (reply === 'hang') return;
  if (reply === 'cut') {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, reply.headers).end(reply.body);
}
