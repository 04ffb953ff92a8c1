import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { csvRecords } from '../../../src/sources/csv/csv-records.ts';

async function* inPieces(text: string | Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    await Promise.resolve();
    yield bytes.subarray(start, start + pieceBytes);
  }
}

async function split(
  text: string | Buffer,
  pieceBytes = 1 << 16,
  maxRecordBytes = 64,
): Promise<[string, readonly string[]][]> {
  const found: [string, readonly string[]][] = [];
  for await (const records of csvRecords(inPieces(text, pieceBytes), maxRecordBytes)) {
    for (const { bytes, cells } of records) found.push([bytes.toString(), cells]);
  }
  return found;
}

suite('csvRecords', () => {
  test('gives each record its own bytes and its cells', async () => {
    assert.deepEqual(await split('a,b\n1,"x,""y"""\n'), [
      ['a,b', ['a', 'b']],
      ['1,"x,""y"""', ['1', 'x,"y"']],
    ]);
  });

  test('takes a byte order mark, CRLF, a newline in quotes, empty lines, and no newline at the end', async () => {
    const text = '\uFEFFa,b\r\n"1\r\n2",é\r\n\r\n3,4';
    const [header, ...rows] = await split(text);
    assert.deepEqual(header?.[1], ['a', 'b']);
    assert.deepEqual(rows, [
      ['"1\r\n2",é', ['1\r\n2', 'é']],
      ['3,4', ['3', '4']],
    ]);
  });

  test('keeps a record with too few or too many cells as it is', async () => {
    assert.deepEqual((await split('a,b\n1\n1,2,3\n')).slice(1), [
      ['1', ['1']],
      ['1,2,3', ['1', '2', '3']],
    ]);
  });

  test('gives up one line only for text behind a closing quote', async () => {
    assert.deepEqual((await split('a,b\n1,"2"x\n3,4\n5,6\n')).slice(1), [
      ['1,"2"x', []],
      ['3,4', ['3', '4']],
      ['5,6', ['5', '6']],
    ]);
  });

  test('gives up one line only for a quote inside a bare cell', async () => {
    assert.deepEqual((await split('a,b\r\n1,2"x\r\n3,4\r\n')).slice(1), [
      ['1,2"x', []],
      ['3,4', ['3', '4']],
    ]);
  });

  test('gives up one line only for a quote that is never closed', async () => {
    const rows = Array.from({ length: 50 }, (_, index) => `${index},0`);
    const found = await split(`a,b\n1,"2\n${rows.join('\n')}\n`);
    assert.deepEqual(found[1], ['1,"2', []]);
    assert.deepEqual(
      found.slice(2).map(([text]) => text),
      rows,
    );
    assert.ok(found.slice(2).every(([, cells]) => cells.length === 2));
  });

  test('gives up one line only where the never closed quote is in the last lines', async () => {
    assert.deepEqual((await split('a,b\n1,"2\n3,4')).slice(1), [
      ['1,"2', []],
      ['3,4', ['3', '4']],
    ]);
    assert.deepEqual((await split('a,b\n1,"2')).slice(1), [['1,"2', []]]);
  });

  test('cuts a record larger than the limit and goes on behind it', async () => {
    const long = 'x'.repeat(200);
    assert.deepEqual((await split(`a,b\n${long},1\n3,4\n`)).slice(1), [
      ['x'.repeat(64), []],
      ['3,4', ['3', '4']],
    ]);
    assert.deepEqual((await split(`a,b\n${long}`)).slice(1), [['x'.repeat(64), []]]);
    const atLimit = 'y'.repeat(62);
    assert.deepEqual((await split(`a,b\n${atLimit},1\n`))[1], [`${atLimit},1`, [atLimit, '1']]);
  });

  test('passes over more empty lines than a record may have bytes', async () => {
    assert.deepEqual((await split(`a,b\n${'\n'.repeat(300)}1,2\n${'\r\n'.repeat(300)}`, 50)).slice(1), [
      ['1,2', ['1', '2']],
    ]);
  });

  test('finds the same records however the text was cut', async () => {
    const text =
      '\uFEFFa,b\r\n1,"2"x\r\n"3\r\n",é\r\n' +
      `5,"6\r\n${'7,8\r\n'.repeat(30)}${'z'.repeat(150)}\r\n9,"1""0"\r\n\r\n11,12"\r\n13,14\r\n15,"16`;
    const whole = await split(text);
    assert.equal(whole.length, 1 + 2 + 1 + 30 + 1 + 1 + 2 + 1);
    for (const pieceBytes of [1, 2, 3, 7, 64, 65, 100]) {
      assert.deepEqual(await split(text, pieceBytes), whole, `pieces of ${pieceBytes} bytes`);
    }
  });

  test('passes on an error of the text', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('a,b\n1,2\n');
      await Promise.resolve();
      throw new Error('disk on fire');
    }
    await assert.rejects(async () => {
      for await (const records of csvRecords(broken(), 64)) assert.ok(records.length > 0);
    }, /disk on fire/);
  });
});
