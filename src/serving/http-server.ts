import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, messageOf } from '../errors.ts';
import { isTooDeep } from '../json-depth.ts';
import { tellAnswers, type AnsweredRequest } from './answered-requests.ts';
import { displayHost } from './display-host.ts';
import { docsPage } from './docs-page.ts';
import { EventFeed } from './event-feed.ts';
import { inferenceProtocol } from './inference-protocol.ts';
import { modelsRoutes } from './models-route.ts';
import { describeRoutes, type OpenApi } from './openapi.ts';
import { predictRoute } from './predict-route.ts';
import { PredictionBatcher } from './prediction-batcher.ts';
import type { Predictions } from './predictions.ts';
import { decorateReplies, maxRequestDepth, tooDeep } from './requests.ts';
import { guardState } from './state-guard.ts';
import type { PipelineStatus } from './status.ts';
import type { VersionControl } from './version-control.ts';

export interface HttpOptions {
  /** Loopback unless the configuration says otherwise. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Largest body of a request. */
  readonly bodyBytes: number;
  /** Requests under way on one route that predicts, at the most. */
  readonly concurrentRequests: number;
  /** Asked for by what changes something; null: only this machine may. */
  readonly token: string | null;
}

/** What the server shows; handed in by `service/`. */
export interface HttpParts {
  /** The state document; cheap, asked up to four times a second while somebody watches. */
  status(): PipelineStatus;
  /** Grows with every change of the state document but time. */
  statusVersion(): number;
  /** Why the pipeline is not ready; empty where it is. */
  notReady(): readonly string[];
  /** `/metrics`, in the format that the Accept header asks for. */
  metrics(accept: string): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Told of each request when it is over. */
  onAnswer(request: AnsweredRequest): void;
  readonly predictions: Predictions;
  /** Null until the pipeline stands. */
  versions(): VersionControl | null;
  /** Version of the program. */
  readonly version: string;
}

export interface HttpServer {
  /** Where people open it: `http://127.0.0.1:9464`. */
  readonly url: string;
  readonly port: number;
  /** Ends the event streams, answers what was asked, then closes; after a second it cuts what is still open. */
  close(): Promise<void>;
}

const limits = {
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 15_000,
  idleMs: 60_000,
  keepAliveMs: 10_000,
  checkMs: 5_000,
  requestsPerSocket: 10_000,
  connections: 512,
  closeMs: 1000,
} as const;

/** The page loads its own files and nothing else; plain HTTP on loopback must keep working. */
const security = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
} as const;

/**
 * Serves the live page, its events, health, metrics and predictions.
 * @throws ConfigError `http.portInUse` where the port is taken, `config.invalid` where the address cannot be had.
 */
export async function httpServer(options: HttpOptions, parts: HttpParts): Promise<HttpServer> {
  const app = fastify({
    bodyLimit: options.bodyBytes,
    routerOptions: { maxParamLength: limits.headerBytes },
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxRequestsPerSocket: limits.requestsPerSocket,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkMs,
    },
  });
  app.server.maxConnections = limits.connections;
  acceptJson(app);
  // Bodies are checked by rules of their own; their schemas are documentation.
  app.setValidatorCompiler(() => () => true);
  guardState(app, options);
  tellAnswers(app, (request) => {
    parts.onAnswer(request);
  });
  app.setErrorHandler(answerError);
  const describe = describeRoutes(app, parts);
  const { predictions, version } = parts;
  const { concurrentRequests: maxRequests } = options;
  const predicting = { predictions, batcher: new PredictionBatcher(), maxRequests };
  decorateReplies(app);
  predictRoute(app, predicting);
  const protocol = inferenceProtocol({ ...predicting, version });
  await app.register(protocol.infer);
  const feed = new EventFeed(parts);
  // Hooks of a context of its own: thousands of predictions a second, which no browser shows, do not pass through them.
  await app.register(async (shown) => {
    await shown.register(helmet, security);
    shown.setNotFoundHandler(answerNotFound);
    documentRoutes(shown, parts, describe);
    healthRoutes(shown, parts);
    metricsRoute(shown, parts);
    modelsRoutes(shown, () => parts.versions());
    await shown.register(protocol.metadata);
    await pageRoutes(shown);
    feed.addTo(shown);
  });
  await listen(app, options);
  const { port } = app.server.address() as { port: number };
  return {
    url: `http://${displayHost(options.host)}:${port}`,
    port,
    close: async () => {
      feed.close();
      const force = setTimeout(() => {
        app.server.closeAllConnections();
      }, limits.closeMs);
      await app.close();
      clearTimeout(force);
    },
  };
}

/** JSON alone, which a page elsewhere cannot post without asking first, and none that takes long to parse. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (isTooDeep(body, maxRequestDepth)) done(Object.assign(new Error(tooDeep), { statusCode: 400 }));
    else void parse(request, body.toString(), done);
  });
}

function answerError(
  error: { statusCode?: number; message: string },
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  const status = error.statusCode ?? 500;
  void reply.code(status).send({ error: status < 500 ? error.message : 'internal error' });
}

function answerNotFound(_request: FastifyRequest, reply: FastifyReply): void {
  void reply.code(404).send({ error: 'not found' });
}

function documentRoutes(app: FastifyInstance, parts: HttpParts, describe: () => OpenApi): void {
  app.get('/openapi.json', { schema: { summary: 'This interface as an OpenAPI 3.1 document' } }, () => describe());
  app.get('/docs', ({ host }, reply) => {
    const fields = parts.predictions.predictor()?.fields ?? [];
    return reply.type('text/html; charset=utf-8').send(docsPage(describe(), fields, host));
  });
}

function healthRoutes(app: FastifyInstance, parts: HttpParts): void {
  app.get('/v2/health/live', { schema: { summary: 'Whether the process lives' } }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ live: true }),
  );
  app.get('/v2/health/ready', { schema: readinessSchema }, (_request, reply) => {
    const reasons = parts.notReady();
    void reply.header('cache-control', 'no-store').code(reasons.length === 0 ? 200 : 503);
    return reply.send(reasons.length === 0 ? { ready: true } : { ready: false, reasons });
  });
}

function metricsRoute(app: FastifyInstance, parts: HttpParts): void {
  app.get('/metrics', { schema: { summary: 'Metrics for Prometheus' } }, async (request, reply) => {
    const { contentType, body } = await parts.metrics(request.headers.accept ?? '');
    return reply.header('content-type', contentType).header('cache-control', 'no-store').send(body);
  });
}

const readinessSchema: FastifySchema = {
  summary: 'Whether the pipeline reads, learns and serves',
  response: {
    503: {
      description: 'Not now; the reasons say why',
      type: 'object',
      properties: { ready: { type: 'boolean' }, reasons: { type: 'array', items: { type: 'string' } } },
    },
  },
};

async function pageRoutes(app: FastifyInstance): Promise<void> {
  const page = fileURLToPath(new URL('../../web/', import.meta.url));
  const chart = dirname(createRequire(import.meta.url).resolve('uplot'));
  await app.register(fastifyStatic, { root: page, cacheControl: false, dotfiles: 'deny' });
  for (const name of ['uPlot.esm.js', 'uPlot.min.css']) {
    app.get(`/uplot/${name}`, (_request, reply) => reply.sendFile(name, chart));
  }
}

async function listen(app: FastifyInstance, { host, port }: HttpOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, host, port);
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const details = { cause: error, context: { host, port } };
  if (code === 'EADDRINUSE') {
    const fix = `stop what listens there or set http.port to a free port (0 takes any)`;
    return new ConfigError('http.portInUse', `http.port: ${port} is in use on ${host}; ${fix}`, details);
  }
  if (code === 'EACCES') {
    const fix = 'set http.port to 1024 or above';
    return new ConfigError('config.invalid', `http.port: ${port} may not be opened by this user; ${fix}`, details);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const fix = 'set http.host to 127.0.0.1 or 0.0.0.0';
    return new ConfigError('config.invalid', `http.host: ${host} is no address of this machine; ${fix}`, details);
  }
  return new ConfigError('config.invalid', `http: cannot listen on ${host}:${port}: ${messageOf(error)}`, details);
}
