import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify';

declare module 'fastify' {
  interface FastifyReply {
    /** What a request that predicts waits for. */
    workUnderWay: Promise<unknown> | null;
  }
}

/** Rows in one request at the most: what a batch of dashboards or jobs asks for, and milliseconds of this thread. */
export const maxRequestRows = 1024;

/** Levels of arrays and objects that the JSON of a request may have: far more than its shapes and the paths of fields need. */
export const maxRequestDepth = 64;

/** What the sender of deeper JSON is told. */
export const tooDeep = `the body: expected at most ${maxRequestDepth} levels of arrays and objects`;

/** Says that what was asked for cannot be had yet, and when to try again. */
export function answerLater(reply: FastifyReply, message: string, seconds: number): FastifyReply {
  return reply.code(503).header('retry-after', String(seconds)).send({ error: message });
}

/** Options of a route that predicts. */
export function predictingRoute(maxRequests: number) {
  return {
    onRequest: concurrencyLimit(maxRequests),
    config: { isReading: true, isPredicting: true },
  } as const;
}

/** Comes before the routes that predict. */
export function decorateReplies(app: FastifyInstance): void {
  // A property, not a WeakMap: with 10,000 entries a second the loop came 8 to 14 ms late at each scavenge.
  app.decorateReply('workUnderWay', null);
}

/** Lets a request hold its place among those at a time until `work` is done, also where its client is gone by then. */
export function holdingPlace<Result>(reply: FastifyReply, work: Promise<Result>): Promise<Result> {
  reply.workUnderWay = work;
  return work;
}

/** Refuses a route's requests beyond so many at a time, before their bodies are read. */
function concurrencyLimit(maxRequests: number): onRequestHookHandler {
  let open = 0;
  return (request, reply, done) => {
    if (open >= maxRequests) {
      void answerLater(reply, `${maxRequests} requests are under way on ${request.routeOptions.url ?? ''}`, 1);
      return;
    }
    open += 1;
    const free = (): void => void (open -= 1);
    // Comes for every request, answered or broken off.
    reply.raw.once('close', () => {
      void (reply.workUnderWay ?? Promise.resolve()).then(free, free);
    });
    done();
  };
}
