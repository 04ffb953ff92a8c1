import type { FastifyInstance, FastifyReply } from 'fastify';
import { PromotionError } from '../errors.ts';
import { modelsSchema, pinSchema, rollbackSchema, unpinSchema } from './models-schema.ts';
import { answerLater } from './requests.ts';
import type { VersionControl, VersionList } from './version-control.ts';

/** `/v1/models`: the versions, and an operator's hand on which of them is served. */
export function modelsRoutes(app: FastifyInstance, versions: () => VersionControl | null): void {
  type Ask = (control: VersionControl) => VersionList | Promise<VersionList>;
  const act = async (reply: FastifyReply, ask: Ask): Promise<FastifyReply> => {
    const control = versions();
    if (control === null) return answerLater(reply, 'the pipeline does not stand yet', 5);
    try {
      const list = await ask(control);
      return await reply.header('cache-control', 'no-store').send(list);
    } catch (error) {
      if (error instanceof PromotionError) return reply.code(409).send({ error: error.message });
      throw error;
    }
  };
  app.get('/v1/models', { schema: modelsSchema }, (_request, reply) => act(reply, (control) => control.list()));
  app.post('/v1/models/pin', { schema: pinSchema }, ({ body }, reply) => {
    const { version } = (typeof body === 'object' && body !== null ? body : {}) as { readonly version?: unknown };
    if (typeof version === 'string') return act(reply, (control) => control.pin(version));
    return reply.code(400).send({ error: 'version: expected the id of a version, such as checkpoint-000000000001' });
  });
  app.post('/v1/models/unpin', { schema: unpinSchema }, (_request, reply) => act(reply, (control) => control.unpin()));
  app.post('/v1/models/rollback', { schema: rollbackSchema }, (_request, reply) =>
    act(reply, (control) => control.rollBack()),
  );
}
