import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endServer, freePorts, startServer, untilReady } from './kafka/server-process.ts';
import { testCache } from './requirements.ts';

/** A real schema registry that speaks Confluent's API, in memory, on a free loopback port. */
export interface RegistryServer {
  /** What a client of Confluent's registry takes as its URL. */
  readonly url: string;
  /** Ends it; what was registered is lost. */
  readonly stop: () => Promise<void>;
  /** Freezes and thaws it (SIGSTOP, SIGCONT): requests hang in between. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export interface RegistryOptions {
  /** To start one where another one was. */
  readonly port?: number;
}

/** Starts Apicurio and resolves when it answers and checks backward compatibility, as Confluent's does (about 4 s). */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryServer> {
  const [free = 0] = await freePorts(1);
  const port = options.port ?? free;
  const home = mkdtempSync(join(tmpdir(), 'millrace-registry-'));
  const jar = join(testCache, 'apicurio-2.6.13.Final', 'apicurio-registry-app-2.6.13.Final-runner.jar');
  const java = ['-XX:TieredStopAtLevel=1', '-Xmx384m', '-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`];
  const server = startServer('java', [...java, '-jar', jar], join(home, 'registry.log'));
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  await untilReady(server, () => checksCompatibility(url));
  return {
    url,
    stop: async () => {
      await endServer(server, 'SIGTERM', 5000);
      rmSync(home, { recursive: true, force: true });
    },
    pause: () => {
      server.signal('SIGSTOP');
    },
    resume: () => {
      server.signal('SIGCONT');
    },
  };
}

/** Apicurio's own default is to check nothing. */
async function checksCompatibility(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: '{"compatibility":"BACKWARD"}',
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
