import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A proxy on loopback whose connections can go silent without closing, as behind a firewall that forgot them. */
export interface TcpProxy {
  readonly forwardTo: (port: number) => void;
  /** From now on the present connections carry nothing, in either direction; returns how many there were. New ones work. */
  readonly swallow: () => number;
  readonly stop: () => Promise<void>;
}

export async function startProxy(port: number): Promise<TcpProxy> {
  let target = 0;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: target });
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    forwardTo: (forwardPort) => {
      target = forwardPort;
    },
    swallow: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
      return pairs.size;
    },
    stop: async () => {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
