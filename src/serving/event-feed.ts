import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { PipelineStatus } from './status.ts';

/** What the feed asks for. */
export interface FeedParts {
  status(): PipelineStatus;
  statusVersion(): number;
}

const tickMs = 250;
/** Without a change every fourth tick sends an update all the same: ages grow, and the page knows that we live. */
const quietTicks = 4;
const maxClients = 32;
/** A client that lets this much pile up is dropped; it will connect again if it can. */
const maxUnsentBytes = 1024 * 1024;

/**
 * `/events`: server-sent events. `state` holds the whole document, at connect and when its history was thinned;
 * `update` holds it with only the points of the history from index `from` on, at most four times a second.
 */
export class EventFeed {
  readonly #parts: FeedParts;
  readonly #clients = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | null = null;
  #sent = { version: -1, revision: -1, points: 0 };
  #quietTicks = 0;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  addTo(app: FastifyInstance): void {
    app.get(
      '/events',
      { schema: { summary: 'What the live page shows, as server-sent events' } },
      (_request, reply) => {
        if (this.#clients.size >= maxClients) {
          return reply
            .code(503)
            .header('retry-after', '5')
            .send({ error: `already ${maxClients} watch; try again later` });
        }
        this.#connect(reply);
        return reply;
      },
    );
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  #connect(reply: FastifyReply): void {
    reply.hijack();
    const client = reply.raw;
    client.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const status = this.#parts.status();
    client.write(`retry: 1000\n\n${frame('state', status)}`);
    if (this.#clients.size === 0) this.#noteSent(status);
    this.#clients.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0 && this.#timer !== null) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
    });
    this.#timer ??= setInterval(() => {
      this.#tick();
    }, tickMs);
  }

  #tick(): void {
    const version = this.#parts.statusVersion();
    this.#quietTicks += 1;
    if (version === this.#sent.version && this.#quietTicks < quietTicks) return;
    this.#quietTicks = 0;
    const status = this.#parts.status();
    const text = this.#frameOf(status);
    this.#noteSent(status);
    for (const client of this.#clients) {
      if (client.writableLength > maxUnsentBytes) client.destroy();
      else client.write(text);
    }
  }

  #noteSent({ history: { revision, points } }: PipelineStatus): void {
    this.#sent = { version: this.#parts.statusVersion(), revision, points: points.length };
  }

  #frameOf(status: PipelineStatus): string {
    const { revision, points } = status.history;
    if (revision !== this.#sent.revision) return frame('state', status);
    const from = Math.min(this.#sent.points, points.length);
    return frame('update', { ...status, history: { revision, from, points: points.slice(from) } });
  }
}

function frame(event: string, document: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(document)}\n\n`;
}
