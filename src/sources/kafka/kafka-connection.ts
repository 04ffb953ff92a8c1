import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { ConfigError, messageOf } from '../../errors.ts';
import { AnswerReader } from './answer-reader.ts';
import {
  kafkajs,
  Cluster,
  fetchInColumns,
  type KafkaCluster,
  type Kafka,
  type ISocketFactory,
  type KafkaConfig,
  type SASLOptions,
} from './kafkajs.ts';

/** Certificates that are not those of the system. */
export interface KafkaTls {
  /** Certificates to trust instead of the system's, PEM. */
  readonly caFile?: string | undefined;
  /** Certificate and key of this client, PEM. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Who signs in, and how. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** One of the two; a file may end in a line break. */
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** How to reach a cluster. Server certificates are always verified. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly tls?: KafkaTls | undefined;
  /** Without `tls` only for brokers on the loopback interface: the password would cross the network in the clear. */
  readonly sasl?: KafkaSasl | undefined;
}

/** How long calls of one client try again after trouble: not at all, some seconds, or for (nearly) ever with short pauses. */
export type KafkaPatience = 'none' | 'brief' | 'endless';

/** A client and the sockets that it opened. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Metadata and read-committed offsets, below kafkajs's public face, which knows only uncommitted ends. */
  cluster(): KafkaCluster;
  /** Closes every socket at once, so that no half-open connection is waited for; kafkajs connects again. */
  destroySockets(): void;
  /** Closes every socket and opens no other: ends whatever kafkajs still tries again. */
  destroy(): void;
}

// Measured: a broker that returns is used again within a second, and no call waits 30 s for a half-open connection.
const timeouts = { connectionTimeout: 3000, requestTimeout: 5000 };
const retries = {
  none: { retries: 0 },
  brief: { retries: 8, maxRetryTime: 1000, initialRetryTime: 20 },
  endless: { retries: 1000, maxRetryTime: 2000, initialRetryTime: 200 },
};

/**
 * Reads the files that the connection names and makes a client; connects nothing yet.
 * @throws ConfigError where a file cannot be read, or where SASL would go in the clear over a network.
 */
export function kafkaClient(connection: KafkaConnection, patience: KafkaPatience): KafkaClient {
  const sockets = new Set<Socket>();
  let isDestroyed = false;
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (isDestroyed) throw new Error(closed);
    // kafkajs gives no `ssl` where the connection has none, whatever its types say.
    const security = ssl as tls.ConnectionOptions | null | undefined;
    const socket = security ? connectTls(host, port, security, onConnect) : connectPlain(host, port, onConnect);
    socket.setKeepAlive(true, 10_000);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const config: KafkaConfig = {
    clientId: 'millrace',
    // A consumer that is told to stop goes on with the call that it is in, and kafkajs tries that again, if need be for
    // half an hour. It gives up when there is no broker left to ask.
    brokers: () => (isDestroyed ? [] : [...connection.brokers]),
    ...securityOf(connection),
    ...timeouts,
    retry: retries[patience],
    // What goes wrong is told by errors and events; kafkajs's own lines would repeat it unasked.
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory,
  };
  fetchInColumns(socketFactory);
  const kafka = new kafkajs.Kafka(config);
  const destroySockets = (): void => {
    // Told as an error: of a plain close kafkajs hears nothing, and would wait for the answers to its requests.
    for (const socket of sockets) socket.destroy(new Error(closed));
  };
  return {
    kafka,
    cluster: () =>
      new Cluster({
        ...config,
        logger: kafka.logger(),
        retry: retries.none,
        enforceRequestTimeout: true,
        metadataMaxAge: 0,
        allowAutoTopicCreation: false,
        isolationLevel: readCommitted,
      }),
    destroySockets,
    destroy: () => {
      isDestroyed = true;
      destroySockets();
    },
  };
}

const readCommitted = 1;
const closed = 'Millrace closed the connection';

function connectPlain(host: string, port: number, onConnect: () => void): Socket {
  const answers = new AnswerReader((answer) => socket.emit('data', answer));
  const onread: net.OnReadOpts = {
    buffer: () => answers.room(),
    callback: (count) => {
      try {
        answers.took(count);
      } catch (error) {
        socket.destroy(error as RangeError);
      }
      return true;
    },
  };
  const socket = net.connect({ host, port, onread }, onConnect);
  return socket;
}

function connectTls(host: string, port: number, ssl: tls.ConnectionOptions, onConnect: () => void): Socket {
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  return tls.connect({ ...ssl, ...name, host, port }, onConnect);
}

/** Where brokers are, for messages. */
export function brokersOf(connection: KafkaConnection): string {
  return connection.brokers.join(', ');
}

interface KafkaSecurity {
  readonly ssl?: tls.ConnectionOptions;
  readonly sasl?: SASLOptions;
}

function securityOf({ brokers, tls: files, sasl }: KafkaConnection): KafkaSecurity {
  if (sasl !== undefined && files === undefined) refuseClearText(brokers);
  return {
    ...(files === undefined ? {} : { ssl: tlsOptions(files) }),
    ...(sasl === undefined
      ? {}
      : { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: passwordOf(sasl) } }),
  };
}

function refuseClearText(brokers: readonly string[]): void {
  const isLoopback = (broker: string): boolean => /^(localhost|127\.[\d.]+|\[?::1\]?):\d+$/.test(broker);
  const far = brokers.find((broker) => !isLoopback(broker));
  if (far === undefined) return;
  throw new ConfigError(
    'config.invalid',
    `kafka.sasl without kafka.tls would send the password to ${far} in the clear. Set kafka.tls (true, or a caFile)`,
    { context: { key: 'kafka.tls', broker: far } },
  );
}

function tlsOptions({ caFile, certFile, keyFile }: KafkaTls): tls.ConnectionOptions {
  return {
    rejectUnauthorized: true,
    ...(caFile === undefined ? {} : { ca: [fileOf('tls.caFile', caFile)] }),
    ...(certFile === undefined ? {} : { cert: fileOf('tls.certFile', certFile) }),
    ...(keyFile === undefined ? {} : { key: fileOf('tls.keyFile', keyFile) }),
  };
}

function passwordOf({ password, passwordFile }: KafkaSasl): string {
  if (passwordFile !== undefined) return fileOf('sasl.passwordFile', passwordFile).replace(/\r?\n$/, '');
  if (password !== undefined) return password;
  throw new ConfigError('config.missing', 'kafka.sasl needs a password or a passwordFile', {
    context: { key: 'kafka.sasl.password' },
  });
}

function fileOf(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('config.missing', `kafka.${key}: cannot read ${path} (${messageOf(error)})`, {
      cause: error,
      context: { key: `kafka.${key}`, file: path },
    });
  }
}
