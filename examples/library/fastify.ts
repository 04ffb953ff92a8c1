// A Fastify app that learns from what is posted to it, and answers with what it has learned.
import Fastify from 'fastify';
import { configOf, rowSource, startPipeline } from 'millrace';
import { MillraceError, millraceClient } from 'millrace/client';
import { Subject } from 'rxjs';

interface Reading {
  readonly turbine: string;
  readonly windSpeed: number;
  readonly power: number;
}

const config = configOf({
  name: 'turbines',
  source: { program: { topic: 'readings' } },
  key: 'turbine',
  features: ['windSpeed'],
  target: 'power',
  batch: { rows: 16, maxDelay: '100ms' },
  training: { optimizer: 'sgd', learningRate: 0.05 },
  checkpoint: { dir: '.millrace/library/turbines', every: '1s' },
  http: { port: 0 },
});

const app = Fastify({ logger: { stream: process.stderr } });
const readings = new Subject<Reading>();
// Posted readings come once: there is none to ask for again.
const running = await startPipeline({
  config,
  logger: app.log,
  source: (context) => rowSource(() => readings, context),
});
const client = millraceClient({ url: running.url });

app.post<{ Body: Reading }>('/readings', (request, reply) => {
  readings.next(request.body);
  return reply.code(202).send();
});

app.get<{ Params: { turbine: string }; Querystring: { windSpeed: string } }>(
  '/turbines/:turbine/power',
  ({ params, query }) => client.predict({ turbine: params.turbine, windSpeed: Number(query.windSpeed) }),
);

// Not ready (503) until there is a first model, and whatever else the pipeline says.
app.setErrorHandler((error, _, reply) => {
  const status = error instanceof MillraceError ? error.status : 500;
  return reply.code(status).send({ error: error instanceof Error ? error.message : String(error) });
});

// What was posted is learned and saved before the app ends; an app whose pipeline failed ends too.
app.addHook('onClose', () => running.close());
running.ended.catch(async (error: unknown) => {
  app.log.error(error);
  process.exitCode = 1;
  await app.close();
});
process.once('SIGTERM', () => void app.close());

console.log(await app.listen({ port: Number(process.env['PORT'] ?? 3000) }));
