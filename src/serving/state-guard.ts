import type { onRequestHookHandler } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a route that changes nothing in spite of its method. */
    readonly isReading?: boolean;
  }
}

const loopbacks = /^(127(\.\d{1,3}){3}|::1|localhost)$/;
const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Asks every request that may change something for the bearer token, where there is one or the server is bound to another
 * address than loopback. A route that changes nothing in spite of its method says `config: { isReading: true }`.
 *
 * @param token null: nobody may change anything from another machine.
 */
export function stateGuard(host: string, token: string | null): onRequestHookHandler {
  const wanted = token === null ? null : digestOf(`Bearer ${token}`);
  return (request, reply, done) => {
    const { method, is404, routeOptions } = request;
    const isFree = is404 || readingMethods.has(method) || routeOptions.config.isReading === true;
    if (isFree || (wanted === null && loopbacks.test(host))) {
      done();
      return;
    }
    if (wanted === null) {
      const error = 'nothing can be changed over HTTP here: set http.tokenFile, or bind http.host to 127.0.0.1';
      void reply.code(403).send({ error });
      return;
    }
    // Of equal length, so that the time of the comparison tells nothing.
    if (timingSafeEqual(digestOf(request.headers.authorization ?? ''), wanted)) done();
    else
      void reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ error: 'needs the bearer token of http.tokenFile' });
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
