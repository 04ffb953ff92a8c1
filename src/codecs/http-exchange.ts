import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpExchange {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request and its whole answer. Follows no redirect: a fixed address stays fixed.
 *
 * @throws Error (rejects) on a broken connection, a timeout, an answer that is too large, or an abort.
 */
export async function httpExchange(exchange: HttpExchange): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(exchange.timeoutMs);
  const signal = AbortSignal.any([timeout, exchange.signal]);
  return await new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(timeout.aborted ? new Error(`no answer within ${exchange.timeoutMs} ms`) : error);
    };
    const { method, headers, ca } = exchange;
    const options = { method, headers, signal, agent: false as const, ...(ca === undefined ? {} : { ca }) };
    const request = (exchange.url.protocol === 'https:' ? requestHttps : requestHttp)(exchange.url, options);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > exchange.maxResponseBytes) {
          response.destroy(new Error(`the answer has more than ${exchange.maxResponseBytes} bytes`));
        }
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.end(exchange.body);
  });
}
