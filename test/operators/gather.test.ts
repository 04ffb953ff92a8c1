import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { EMPTY, from, NEVER, Observable, Subject, throwError, concat } from 'rxjs';
import { gather } from '../../src/operators/gather.ts';

const byOne = { weigh: () => 1, most: 3 };

async function all<T>(groups: AsyncIterable<readonly T[]>): Promise<(readonly T[])[]> {
  const found = [];
  for await (const group of groups) found.push(group);
  return found;
}

suite('gather', () => {
  test('yields what has come meanwhile, up to a weight, and ends with the source', async () => {
    assert.deepEqual(await all(gather(EMPTY, byOne)), []);
    assert.deepEqual(await all(gather(from([1]), byOne)), [[1]]);
    assert.deepEqual(await all(gather(from([1, 2, 3, 4, 5, 6, 7]), byOne)), [[1, 2, 3], [4, 5, 6], [7]]);
    const weighed = gather(from([1, 1, 9, 2, 1, 0]), { weigh: (value) => value, most: 3 });
    assert.deepEqual(await all(weighed), [[1, 1], [9], [2, 1, 0]]);
  });

  test('waits while nothing comes', async () => {
    const values = new Subject<number>();
    const groups = gather(values, byOne);
    const first = groups.next();
    values.next(1);
    values.next(2);
    assert.deepEqual(await first, { done: false, value: [1, 2] });
    const second = groups.next();
    values.next(3);
    values.complete();
    assert.deepEqual(await second, { done: false, value: [3] });
    assert.deepEqual(await groups.next(), { done: true, value: undefined });
  });

  test('fails with the source, after what came before', async () => {
    const groups = gather(
      concat(
        from([1, 2]),
        throwError(() => new Error('broken')),
      ),
      byOne,
    );
    assert.deepEqual((await groups.next()).value, [1, 2]);
    await assert.rejects(groups.next(), /broken/);
  });

  test('unsubscribes when the consumer stops', async () => {
    let isSubscribed = false;
    const values = new Observable<number>((subscriber) => {
      isSubscribed = true;
      subscriber.next(1);
      const inner = NEVER.subscribe(subscriber);
      return () => {
        isSubscribed = false;
        inner.unsubscribe();
      };
    });
    for await (const group of gather(values, byOne)) {
      assert.deepEqual([group, isSubscribed], [[1], true]);
      break;
    }
    assert.equal(isSubscribed, false);
  });
});
