import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { httpServer } from '../../src/serving/http-server.ts';
import type { HttpServer } from '../../src/serving/http-server.ts';
import { httpParts, loopback } from '../serving/http-parts.ts';
import { noBrowser, openBrowser, openLivePage } from '../support/browser.ts';
import { learnedRun, poisonedRun, SimulatedRun } from '../serving/simulated-run.ts';

function served(run: SimulatedRun, port = 0): Promise<HttpServer> {
  return httpServer({ ...loopback, port }, httpParts(run));
}

/** The head of a row of a table. */
function rowOf(page: Page, table: string, index: number): Promise<string> {
  return page.locator(`${table} tbody th`).nth(index).innerText();
}

suite('the live page in a browser', { skip: noBrowser }, () => {
  let browser: Browser;

  before(async () => {
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
  });

  test('shows the sentence, scores, models and dead letters without a complaint or a request elsewhere', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await openLivePage(browser, server.url);
    assert.match(await page.innerText('#sentence'), /^Learning [\d,]+ rows\/s; \d+\.\d % better than last value; /);
    assert.match(await page.innerText('#better'), /^\d+\.\d %$/);
    assert.equal(await page.innerText('h1'), 'weather-new-york');
    assert.equal(await page.locator('#models tbody tr').count(), 3);
    assert.equal(await page.locator('#dead li').count(), 6);
    assert.equal(await page.locator('#lags tbody tr').count(), 3);
    assert.equal(await page.locator('#checkpoints tbody tr').count(), 5);
    assert.equal(await page.locator('.plot canvas').count(), 3);
    assert.match((await page.getAttribute('#score-chart .plot', 'aria-label')) ?? '', /main 1\.\d+, last value 1\.\d+/);
    assert.equal(await page.innerText('#announcement'), await page.innerText('#sentence'));
    assert.deepEqual(complaints, []);
  });

  test('says which version is served, since when, and on what grounds', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    assert.equal(await page.innerText('#version-head'), 'The newest version is served');
    assert.equal(await page.innerText('#version-why'), 'on recent rows its loss is 3 % below (-5 to 7 %)');
    const servedAt = new Date(run.nowMs - 9000).toLocaleTimeString('en-GB').slice(0, 5);
    const [id, since, saved, ...facts] = await page.locator('#version dd').allInnerTexts();
    assert.ok(since?.includes(servedAt) && saved?.includes(servedAt), `${since}, ${saved}: not ${servedAt}`);
    assert.equal(id, '500');
    assert.deepEqual(facts.slice(0, 2), ['it is the newest', '1,000']);
    assert.match(facts[2]!, /^2013-0[56]-\d\d /);
    assert.equal(await rowOf(page, '#checkpoints', 0), '500servednewest');
    assert.equal(await rowOf(page, '#checkpoints', 1), '400previous');
    assert.equal(await page.locator('#decisions tbody tr').count(), 5);
    assert.deepEqual(await page.locator('#decisions tbody tr').first().locator('td').allInnerTexts(), [
      ...['promoted', '500', '400', '-3 %\n-7 to +5 %', '-1 %\n-5 to +7 %'],
      'on recent rows its loss is 3 % below (-5 to 7 %)',
    ]);
    assert.deepEqual(await page.locator('#decisions tbody tr').last().locator('td').allInnerTexts(), [
      ...['promoted', '100', '–', '–', '–'],
      'it is the first',
    ]);
  });

  test('a version that is held is shown with its reason, and what is pinned', async (t) => {
    const run = poisonedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await openLivePage(browser, server.url);
    const why = 'on recent rows its loss is 12 % above (8 to 20 %), on older rows its loss is 1300 % above';
    assert.match(
      await page.innerText('#sentence'),
      /newer models are held back, checkpoint-0+500 is served: on recent/,
    );
    assert.equal(await page.innerText('#version-head'), 'Version 500 is served; 6 newer ones in a row are held');
    assert.equal(await page.innerText('#version-why'), `Version 1100: ${why} (1300 to 1300 %)`);
    assert.equal(await page.innerText('#version-age'), '60 s, 1,200 steps');
    assert.equal(await rowOf(page, '#checkpoints', 0), '1100newest');
    assert.equal(await rowOf(page, '#checkpoints', 6), '500served');
    assert.equal(await rowOf(page, '#checkpoints', 7), '400previous');
    const decisions = page.locator('#decisions tbody tr');
    assert.equal(await decisions.count(), 10, 'the latest ten');
    const [action, version, other, recent, past] = await decisions.first().locator('td').allInnerTexts();
    assert.deepEqual([action, version, other], ['held', '1100', '500']);
    assert.deepEqual([recent, past], ['+12 %\n+8 to +20 %', '+1,300 %\n+1,300 to +1,300 %']);

    run.gate.pin();
    await page.getByText('Version 500 is pinned; 6 newer ones in a row are held', { exact: true }).waitFor();
    assert.equal(await rowOf(page, '#checkpoints', 6), '500servedpinned');
    assert.deepEqual((await decisions.first().locator('td').allInnerTexts()).slice(0, 2), ['pinned', '500']);
    assert.deepEqual(complaints, []);
  });

  test('numbers follow the pipeline', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    for (let step = 0; step < 100; step += 1) run.step();
    const { read } = run.progress.outcomes;
    await page.getByText(`${read.toLocaleString('en-US')} read`, { exact: true }).waitFor();
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'cannot reach the broker at localhost:9092' });
    await page.waitForSelector('body[data-state="troubled"]');
    assert.match(
      await page.innerText('#sentence'),
      /^Not ready since \d\d:\d\d:\d\d: cannot reach the broker at localhost:9092\.$/,
    );
    assert.equal(await page.innerText('#announcement'), await page.innerText('#sentence'));
  });

  test('at the end the totals count', async (t) => {
    const run = learnedRun();
    run.board.finish();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    assert.match(await page.innerText('#sentence'), /^Everything is learned: /);
    assert.equal(await page.innerText('#better'), '13.9 %');
    assert.equal(await page.innerText('#better-note'), 'MAE 1.034 against 1.201, in all');
  });

  test('clock times are those of who looks', async (t) => {
    const run = learnedRun();
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'away' });
    const server = await served(run);
    t.after(() => server.close());
    const page = await browser.newPage({ timezoneId: 'Asia/Tokyo' });
    await page.goto(server.url);
    await page.waitForSelector('body[data-state="troubled"]');
    const time = new Date(run.nowMs).toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo' });
    assert.equal(await page.innerText('#sentence'), `Not ready since ${time}: away.`);
  });

  test('says when contact is lost and goes on by itself when the server is back', async (t) => {
    const run = learnedRun();
    const first = await served(run);
    const { page } = await openLivePage(browser, first.url);
    await first.close();
    await page.waitForSelector('.connection.lost');
    assert.match(await page.innerText('#connection'), /^no contact since/);
    run.step();
    const second = await served(run, first.port);
    t.after(() => second.close());
    await page.waitForSelector('.connection.live');
  });

  for (const width of [360, 768, 1920]) {
    test(`fits a window of ${width} px without scrolling sideways`, async (t) => {
      const server = await served(poisonedRun());
      t.after(() => server.close());
      const { page } = await openLivePage(browser, server.url, { viewport: { width, height: 800 } });
      const [inner, scrolled] = await page.evaluate<[number, number]>(
        '[document.documentElement.clientWidth, document.documentElement.scrollWidth]',
      );
      assert.ok(scrolled <= inner, `${scrolled} px in a window of ${inner} px`);
      const [room, wide] = await page.evaluate<[number, number]>(
        '(({ clientWidth, scrollWidth }) => [clientWidth, scrollWidth])(document.querySelector("#decisions").parentElement)',
      );
      assert.ok(wide <= room, `decisions of ${wide} px in ${room} px`);
    });
  }

  test('is complete before anything happened', async (t) => {
    const server = await served(new SimulatedRun(Date.now()));
    t.after(() => server.close());
    const { page, complaints } = await openLivePage(browser, server.url, { viewport: { width: 360, height: 800 } });
    assert.equal(
      await page.innerText('#sentence'),
      'Starting: the source has not joined yet; no model is in place yet.',
    );
    assert.equal(await page.innerText('#no-dead'), 'None: every record could be used.');
    assert.match(await page.innerText('#no-version'), /^None is served yet/);
    assert.equal(await page.innerText('#no-decisions'), 'None yet: there is nothing to compare.');
    assert.deepEqual(complaints, []);
  });

  test('a preview cannot inject anything', async (t) => {
    const run = learnedRun();
    const value = '<img src=x onerror=alert(1)><script>alert(1)</script>';
    const describe = () => ({ preview: value, detail: value });
    run.board.noteDeadLetter({ reason: 'avro.invalid', topic: 'readings', partition: 0, offset: 1, describe });
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await openLivePage(browser, server.url);
    assert.equal(await page.innerText('#dead li:first-child code'), value);
    assert.deepEqual(complaints, []);
  });

  test('ten updates a second: it keeps up, redraws only what changed, and does not grow', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await openLivePage(browser, server.url);
    const stepAndSee = async (): Promise<void> => {
      run.step();
      const read = run.progress.outcomes.read.toLocaleString('en-US');
      await page.getByText(`${read} read`, { exact: true }).waitFor();
    };
    // Past a checkpoint, far from the next one and from a dead letter.
    for (let step = 0; step < 20; step += 1) run.step();
    await stepAndSee();
    await page.evaluate(`
      window.changes = { quiet: 0, all: 0 };
      const count = (name, nodes) => {
        const observer = new MutationObserver((records) => { window.changes[name] += records.length; });
        for (const node of nodes) observer.observe(node, { childList: true, characterData: true, subtree: true });
      };
      count('all', [document.body]);
      count('quiet', document.querySelectorAll('#versions, #predict-section, #features-section, #keys-section, #dead-letters'));`);
    const size = 'document.querySelectorAll("*").length';
    const before = await page.evaluate<number>(size);
    const updates = 40;
    for (let update = 0; update < updates; update += 1) await stepAndSee();
    const changes = await page.evaluate<{ quiet: number; all: number }>('window.changes');
    assert.equal(changes.quiet, 0, 'sections without news were redrawn');
    assert.ok(changes.all < 60 * updates, `${changes.all} changes of the document in ${updates} updates`);
    assert.equal(await page.evaluate<number>(size), before);
    assert.deepEqual(complaints, []);
  });

  test('many updates at once are drawn once a frame, the last of them as it is', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    for (let step = 0; step < 3000; step += 1) run.step();
    await page.getByText(`${run.progress.outcomes.read.toLocaleString('en-US')} read`, { exact: true }).waitFor();
    assert.ok((await page.locator('#dead li').count()) === 20);
    assert.equal(await page.locator('#checkpoints tbody tr').count(), 20);
  });

  test('what is sensitive is named, and none of its values is in the document that the page gets', async (t) => {
    const server = await served(learnedRun());
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    const row = page.locator('#features tbody tr', { hasText: 'patient' });
    assert.equal(await row.locator('td').first().innerText(), 'values are not shown');
    assert.equal(await row.locator('svg').count(), 0);
    assert.equal(await page.locator('#features tbody tr', { hasText: 'temp' }).locator('svg').count(), 1);
  });

  test('the bounding stage is marked and said', async (t) => {
    const run = learnedRun();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await openLivePage(browser, server.url);
    assert.equal(await page.innerText('#bound'), 'Nothing holds records up');
    for (let block = 0; block < 60; block += 1) {
      run.telemetry.emit({ type: 'blockDecoded', rows: 1, seconds: 0.09 });
      run.step();
      run.mainBusySeconds += 0.095;
    }
    await page.getByText('Bound by decoding', { exact: true }).waitFor();
    assert.equal(await page.locator('#stages .bound .stage').innerText(), 'Decodebounds');
    assert.equal(await page.innerText('#throughput-note'), 'bound by decoding');
  });
});
