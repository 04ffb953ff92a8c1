import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a route that changes nothing in spite of its method. */
    readonly isReading?: boolean;
  }
}

export interface GuardOptions {
  readonly host: string;
  readonly token: string | null;
}

const loopbacks = /^(127(\.\d{1,3}){3}|::1|localhost)$/;
const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Asks requests on the routes declared from now on that may change something for the bearer token, where there is one or the
 * server is bound to another address than loopback. A route that changes nothing in spite of its method says
 * `config: { isReading: true }`.
 *
 * @param options `token` null: nobody may change anything from another machine.
 */
export function guardState(app: FastifyInstance, options: GuardOptions): void {
  const guard = guardOf(options);
  if (guard === null) return;
  app.addHook('onRoute', (route) => {
    if ([route.method].flat().every((method) => readingMethods.has(method)) || route.config?.isReading === true) return;
    route.onRequest = [guard, ...[route.onRequest ?? []].flat()];
  });
}

/** Null where everybody may change what there is. */
function guardOf({ host, token }: GuardOptions): onRequestHookHandler | null {
  if (token === null) {
    if (loopbacks.test(host)) return null;
    const error = 'nothing can be changed over HTTP here: set http.tokenFile, or bind http.host to 127.0.0.1';
    return (_request, reply) => {
      void reply.code(403).send({ error });
    };
  }
  const wanted = digestOf(`Bearer ${token}`);
  const error = 'needs the bearer token of http.tokenFile';
  return (request, reply, done) => {
    // Of equal length, so that the time of the comparison tells nothing.
    if (timingSafeEqual(digestOf(request.headers.authorization ?? ''), wanted)) done();
    else void reply.code(401).header('www-authenticate', 'Bearer').send({ error });
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
