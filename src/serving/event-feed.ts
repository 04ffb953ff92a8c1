import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { PipelineStatus } from './status.ts';

/** What the feed asks for. */
export interface FeedParts {
  status(): PipelineStatus;
  statusVersion(): number;
}

const tickMs = 100;
/** Without a change every tenth tick sends an update all the same: ages grow, and the page knows that we live. */
const quietTicks = 10;
const maxClients = 32;
/** A client that lets this much pile up is dropped; it will connect again if it can. */
const maxUnsentBytes = 1024 * 1024;

/**
 * `/events`: server-sent events. `state` holds the whole document, at connect and when its history was thinned; `update`, at most
 * ten times a second, holds the members that changed and of the history the points from index `from` on.
 */
export class EventFeed {
  readonly #parts: FeedParts;
  readonly #clients = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | null = null;
  /** What those who watch know: JSON of each member of the document, and the history. */
  #sent = { version: -1, revision: -1, points: 0, members: new Map<string, string>() };
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
    // All who watch are brought to the same state, so that the next update fits each of them.
    client.write(`retry: 1000\n\n${frame('state', JSON.stringify(this.#tell()))}`);
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
    this.#tell();
  }

  /** Sends what has changed to all who watch, and answers the whole document. */
  #tell(): PipelineStatus {
    const version = this.#parts.statusVersion();
    const status = this.#parts.status();
    const text = this.#frameOf(status);
    this.#sent = { ...this.#sent, version, revision: status.history.revision, points: status.history.points.length };
    for (const client of this.#clients) {
      if (client.writableLength > maxUnsentBytes) client.destroy();
      else client.write(text);
    }
    return status;
  }

  #frameOf(status: PipelineStatus): string {
    const { history, ...rest } = status;
    const { revision, points } = history;
    const changed = this.#changesOf(rest);
    if (revision !== this.#sent.revision) return frame('state', JSON.stringify(status));
    const from = Math.min(this.#sent.points, points.length);
    const growth = JSON.stringify({ revision, from, points: points.slice(from) });
    return frame('update', `{${[...changed, `"history":${growth}`].join(',')}}`);
  }

  /** Members of the document that are not as they were sent last, as text. */
  #changesOf(members: object): readonly string[] {
    const { members: sent } = this.#sent;
    return Object.entries(members).flatMap(([name, value]) => {
      const text = JSON.stringify(value);
      if (sent.get(name) === text) return [];
      sent.set(name, text);
      return [`"${name}":${text}`];
    });
  }
}

function frame(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
