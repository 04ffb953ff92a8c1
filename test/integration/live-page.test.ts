import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { httpServer } from '../../src/serving/http-server.ts';
import type { HttpServer } from '../../src/serving/http-server.ts';
import { httpParts, loopback } from '../serving/http-parts.ts';
import { SimulatedRun } from '../serving/simulated-run.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const args = [...quiet, '--disable-component-update', '--disable-sync'];
const skip = existsSync(executablePath) ? false : `no Chromium at ${executablePath} (Debian package chromium)`;

/** A pipeline that has learned for a minute. */
function learned(): SimulatedRun {
  const run = new SimulatedRun(Date.now() - 60_000);
  run.start();
  for (let step = 0; step < 590; step += 1) run.step();
  return run;
}

function served(run: SimulatedRun, port = 0): Promise<HttpServer> {
  return httpServer({ ...loopback, port }, httpParts(run));
}

/** A page that writes down what it should not do. */
async function opened(browser: Browser, url: string, width = 1200): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  await page.waitForSelector('body:not([data-state="connecting"])');
  return { page, complaints };
}

suite('the live page in a browser', { skip }, () => {
  let browser: Browser;

  before(async () => {
    browser = await chromium.launch({ executablePath, args });
  });

  after(async () => {
    await browser.close();
  });

  test('shows the sentence, scores, models and dead letters without a complaint or a request elsewhere', async (t) => {
    const run = learned();
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await opened(browser, server.url);
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

  test('numbers follow the pipeline', async (t) => {
    const run = learned();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await opened(browser, server.url);
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
    const run = learned();
    run.board.finish();
    const server = await served(run);
    t.after(() => server.close());
    const { page } = await opened(browser, server.url);
    assert.match(await page.innerText('#sentence'), /^Everything is learned: /);
    assert.equal(await page.innerText('#better'), '13.9 %');
    assert.equal(await page.innerText('#better-note'), 'MAE 1.034 against 1.201, in all');
  });

  test('clock times are those of who looks', async (t) => {
    const run = learned();
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
    const run = learned();
    const first = await served(run);
    const { page } = await opened(browser, first.url);
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
      const server = await served(learned());
      t.after(() => server.close());
      const { page } = await opened(browser, server.url, width);
      const [inner, scrolled] = await page.evaluate<[number, number]>(
        '[document.documentElement.clientWidth, document.documentElement.scrollWidth]',
      );
      assert.ok(scrolled <= inner, `${scrolled} px in a window of ${inner} px`);
    });
  }

  test('is complete before anything happened', async (t) => {
    const server = await served(new SimulatedRun(Date.now()));
    t.after(() => server.close());
    const { page, complaints } = await opened(browser, server.url, 360);
    assert.equal(
      await page.innerText('#sentence'),
      'Starting: the source has not joined yet; no model is in place yet.',
    );
    assert.equal(await page.innerText('#no-dead'), 'None: every record could be used.');
    assert.deepEqual(complaints, []);
  });

  test('a preview cannot inject anything', async (t) => {
    const run = learned();
    const value = '<img src=x onerror=alert(1)><script>alert(1)</script>';
    const describe = () => ({ preview: value, detail: value });
    run.board.noteDeadLetter({ reason: 'avro.invalid', topic: 'readings', partition: 0, offset: 1, describe });
    const server = await served(run);
    t.after(() => server.close());
    const { page, complaints } = await opened(browser, server.url);
    assert.equal(await page.innerText('#dead li:first-child code'), value);
    assert.deepEqual(complaints, []);
  });
});
