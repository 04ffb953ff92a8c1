import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a route that predicts. */
    readonly isPredicting?: boolean;
  }
}

/** A request that was answered, or broken off. */
export interface AnsweredRequest {
  /** As it is declared, such as `/v2/models/:name/infer`; "none" where there is no such route. */
  readonly route: string;
  readonly status: number;
  /** From its head to the end of the answer. */
  readonly seconds: number;
  readonly isPrediction: boolean;
}

/** Tells of each request when it is over. */
export function tellAnswers(app: FastifyInstance, tell: (request: AnsweredRequest) => void): void {
  app.addHook('onResponse', ({ is404, routeOptions: { url, config } }, reply, done) => {
    tell({
      route: is404 ? 'none' : (url ?? 'none'),
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
      isPrediction: config.isPredicting === true,
    });
    done();
  });
}
