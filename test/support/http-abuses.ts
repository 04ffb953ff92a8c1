import type { Socket } from 'node:net';

/** The header line that says so. */
export const json = 'content-type: application/json\r\n';

/** A request as bytes. */
export function post(path: string, headers: string, body = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n${body}`;
}

export function predict(body: string, type = json): string {
  return post('/v1/predict', `${type}content-length: ${Buffer.byteLength(body)}\r\n`, body);
}

export function infer(body: string): string {
  return post('/v2/models/weather/infer', `content-length: ${Buffer.byteLength(body)}\r\n`, body);
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`;
}

const deep = '['.repeat(100_000) + ']'.repeat(100_000);

/** Each abuse, and the status that answers it. */
export const abuses: readonly (readonly [string, string, number])[] = [
  ['no body', predict('', json), 400],
  ['no body and no type', post('/v1/predict', ''), 400],
  ['a body of a gigabyte, as announced', post('/v1/predict', `${json}content-length: 1073741824\r\n`, '{}'), 413],
  [
    'a body of a gigabyte, as it comes',
    post('/v1/predict', `${json}transfer-encoding: chunked\r\n`, chunks(1 << 21)),
    413,
  ],
  ['another type', predict('{"a":1}', 'content-type: text/plain\r\n'), 415],
  ['a form', predict('a=1', 'content-type: application/x-www-form-urlencoded\r\n'), 415],
  ['deep JSON', predict(deep), 400],
  ['deep JSON to infer', infer(deep), 400],
  ['deep JSON in a field', predict(`{"a":${deep}}`), 400],
  ['NaN', predict('[NaN]'), 400],
  ['an infinite number', predict('[{"a":1e400}]'), 422],
  ['another length', infer('{"inputs":[{"name":"features","datatype":"FP64","shape":[2,2],"data":[1]}]}'), 400],
  [
    'a length beyond the number of bytes',
    infer('{"inputs":[{"name":"features","datatype":"FP64","shape":[1e99,2]}]}'),
    400,
  ],
  ['__proto__', predict('{"__proto__":{"a":1}}'), 400],
  ['constructor', predict('{"constructor":{"prototype":{"a":1}}}'), 400],
  ['a path out of the page', get('/../../etc/passwd'), 403],
  ['the same encoded', get('/%2e%2e/%2e%2e/etc/passwd'), 403],
  ['a model that is a path', get('/v2/models/%2fetc%2fpasswd'), 404],
  ['a model that is not UTF-8', get('/v2/models/%ff'), 400],
  ['a header of 20 KB', get('/', `x-big: ${'a'.repeat(20_000)}\r\n`), 431],
  ['10,000 headers', get('/', 'a: b\r\n'.repeat(10_000)), 431],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['not HTTP', 'hello\r\n\r\n', 400],
  ['two lengths', post('/v1/predict', `${json}content-length: 2\r\ncontent-length: 3\r\n`, '{}'), 400],
  [
    'a length and chunks',
    post('/v1/predict', `${json}content-length: 2\r\ntransfer-encoding: chunked\r\n`, '0\r\n\r\n'),
    400,
  ],
  ['HTTP/1.0', 'GET /v2/health/live HTTP/1.0\r\n\r\n', 200],
];

function chunks(bytes: number): string {
  return `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n0\r\n\r\n`;
}

/** All that comes back until the other side closes, also by a reset. */
export async function answerTo(socket: Socket, request: string | Buffer): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  socket.on('error', () => undefined);
  socket.write(request);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}
