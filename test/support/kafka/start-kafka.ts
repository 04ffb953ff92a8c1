import kafkajs from 'kafkajs';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { testCache } from '../requirements.ts';
import { endServer, freePorts, startServer, untilReady, type ServerProcess } from './server-process.ts';

const run = promisify(execFile);

export type KafkaVersion = '4.3.1' | '3.9.2';
export const kafkaVersions: readonly KafkaVersion[] = ['4.3.1', '3.9.2'];

/** The one SCRAM and PLAIN user of a server started with `tls`. */
export const kafkaUser = { username: 'alice', password: 'alice-secret' } as const;

export interface KafkaOptions {
  readonly version?: KafkaVersion;
  /** Adds a listener with TLS and SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) for `kafkaUser`. */
  readonly tls?: boolean;
  /** More lines of server.properties. */
  readonly config?: Readonly<Record<string, string>>;
  /** Told the port of the plain listener before the broker starts: for a proxy that its clients go through. */
  readonly onPort?: (port: number) => void;
}

/** A real Apache Kafka (one KRaft broker) on free loopback ports, with its files in a temporary folder. */
export interface KafkaServer {
  readonly version: KafkaVersion;
  /** `host:port` of the plain listener. */
  readonly bootstrap: string;
  /** `host:port` of the TLS listener and the certificate to trust, where asked for. */
  readonly bootstrapTls: string | undefined;
  readonly caFile: string | undefined;
  /** The broker's log directory: `<topic>-<partition>` folders, `meta.properties`. */
  readonly dataDir: string;
  readonly jarDir: string;
  readonly pid: () => number;
  /** Ends the broker (cleanly) and removes its files. */
  readonly stop: () => Promise<void>;
  /** Ends the broker cleanly and keeps its files, so that they can be read or `restart` can follow. */
  readonly shutDown: () => Promise<void>;
  /** Ends the broker by SIGKILL and keeps its files. */
  readonly kill: () => Promise<void>;
  /** Starts the broker again over the same files and ports (after a clean end where it runs); resolves when it is ready. */
  readonly restart: () => Promise<void>;
  /** Freezes and thaws the broker (SIGSTOP, SIGCONT). */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Runs a Java tool of the distribution, such as `org.apache.kafka.tools.DumpLogSegments`; rejects where it fails. */
  readonly tool: (className: string, args: readonly string[]) => Promise<{ stdout: string; stderr: string }>;
}

// Tools and brokers of tests live for seconds: the first compiler tier starts them sooner.
const quickJava = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Djava.awt.headless=true'];

/** Starts a broker and resolves when it answers with itself in the cluster's metadata (5 to 10 s). */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const version = options.version ?? '4.3.1';
  const hasTls = options.tls === true;
  const jarDir = join(testCache, `kafka-${version}`);
  const home = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
  const [port = 0, controllerPort = 0, tlsPort = 0] = await freePorts(3);
  options.onPort?.(port);
  const bootstrap = `127.0.0.1:${port}`;
  const dataDir = join(home, 'data');
  const properties = join(home, 'server.properties');
  const caFile = hasTls ? await makeCertificate(home) : undefined;
  writeFileSync(
    properties,
    asProperties({
      ...brokerProperties(dataDir, port, controllerPort),
      ...(hasTls ? tlsProperties(home, port, controllerPort, tlsPort) : {}),
      ...options.config,
    }),
  );
  const tool: KafkaServer['tool'] = (className, args) =>
    run(
      'java',
      [...quickJava, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', `${jarDir}/*`, className, ...args],
      {
        maxBuffer: 256 * 1024 * 1024,
      },
    );
  await tool('kafka.tools.StorageTool', ['format', '-t', newClusterId(), '-c', properties, ...scramUsers]);

  const start = async (): Promise<ServerProcess> => {
    const java = [...quickJava, '-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${jarDir}/*`];
    const started = startServer('java', [...java, 'kafka.Kafka', properties], join(home, 'broker.log'));
    await untilReady(started, () => answers(bootstrap));
    return started;
  };
  let broker = await start();
  return {
    version,
    bootstrap,
    bootstrapTls: hasTls ? `127.0.0.1:${tlsPort}` : undefined,
    caFile,
    dataDir,
    jarDir,
    pid: () => broker.pid,
    stop: async () => {
      await endServer(broker, 'SIGTERM', 10_000);
      rmSync(home, { recursive: true, force: true });
    },
    shutDown: () => endServer(broker, 'SIGTERM'),
    kill: () => endServer(broker, 'SIGKILL'),
    restart: async () => {
      await endServer(broker, 'SIGTERM');
      broker = await start();
    },
    pause: () => {
      broker.signal('SIGSTOP');
    },
    resume: () => {
      broker.signal('SIGCONT');
    },
    tool,
  };
}

/** Kafka's own form of a UUID: 16 bytes in URL-safe base64, which must not begin with a dash. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

const scramUsers = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=${kafkaUser.username},password=${kafkaUser.password}]`,
]);

function brokerProperties(dataDir: string, port: number, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': dataDir,
    'num.network.threads': '2',
    'num.io.threads': '4',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    // Replays carry timestamps of past years, which retention would delete at once.
    'log.retention.ms': '-1',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '1000',
  };
}

const storePassword = 'test-secret';

function tlsProperties(home: string, port: number, controllerPort: number, tlsPort: number): Record<string, string> {
  const login = (module: string, rest = ''): string => `org.apache.kafka.common.security.${module} required${rest};`;
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},SASL_SSL://127.0.0.1:${tlsPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${tlsPort}`,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': join(home, 'server.p12'),
    'ssl.keystore.password': storePassword,
    'ssl.key.password': storePassword,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': login('scram.ScramLoginModule'),
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': login('scram.ScramLoginModule'),
    'listener.name.sasl_ssl.plain.sasl.jaas.config': login(
      'plain.PlainLoginModule',
      ` user_${kafkaUser.username}="${kafkaUser.password}"`,
    ),
  };
}

function asProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

async function makeCertificate(home: string): Promise<string> {
  const store = ['-keystore', join(home, 'server.p12'), '-storepass', storePassword, '-alias', 'broker'];
  const caFile = join(home, 'ca.pem');
  const names = 'SAN=IP:127.0.0.1,DNS:localhost';
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650', '-storetype', 'PKCS12'];
  await run('keytool', ['-genkeypair', ...store, ...key, '-dname', 'CN=localhost', '-ext', names]);
  await run('keytool', ['-exportcert', '-rfc', ...store, '-file', caFile]);
  return caFile;
}

async function answers(bootstrap: string): Promise<boolean> {
  const admin = new kafkajs.Kafka({
    brokers: [bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}
