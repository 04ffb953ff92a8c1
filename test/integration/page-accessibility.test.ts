import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, suite, test } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { httpParts, predictionsOf, serverOf } from '../serving/http-parts.ts';
import { learnedRun, poisonedRun, SimulatedRun } from '../serving/simulated-run.ts';
import { SumPredictor, sumVersion } from '../serving/sum-predictor.ts';
import { noBrowser, openBrowser, openLivePage, openPage } from '../support/browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const predictions = predictionsOf(new SumPredictor(sumVersion(2)));

/** What axe-core finds wrong, one line each; nothing is left out. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>('axe.run()');
  return results.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${impact} ${id} ${target.join(' ')}: ${failureSummary}`),
  );
}

suite('everybody can use the pages', { skip: noBrowser }, () => {
  let browser: Browser;

  before(async () => {
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [360, 1600]) {
      const options = { colorScheme, viewport: { width, height: 900 } };

      test(`axe-core finds nothing on /, with versions held, and on /docs: ${colorScheme}, ${width} px`, async (t) => {
        const { url } = await serverOf(t, httpParts(learnedRun(), { predictions }));
        const { page } = await openLivePage(browser, url, options);
        await page.getByRole('textbox', { name: 'a' }).waitFor();
        assert.deepEqual(await violations(page), []);
        const { url: poisoned } = await serverOf(t, httpParts(poisonedRun(), { predictions }));
        const held = await openLivePage(browser, poisoned, options);
        await held.page.getByText(/6 newer ones in a row are held/).waitFor();
        assert.deepEqual(await violations(held.page), []);
        const docs = await openPage(browser, `${url}/docs`, options);
        assert.deepEqual(await violations(docs.page), []);
      });
    }

    test(`nor before anything has happened, in trouble, or with a form that was refused: ${colorScheme}`, async (t) => {
      const run = new SimulatedRun(Date.now());
      const { url } = await serverOf(t, httpParts(run, { predictions }));
      const { page } = await openLivePage(browser, url, { colorScheme });
      assert.deepEqual(await violations(page), []);
      run.start();
      await page.getByRole('textbox', { name: 'a' }).fill('many');
      await page.getByRole('button', { name: 'Predict' }).click();
      await page.locator('[aria-invalid]').waitFor();
      run.telemetry.emit({ type: 'sourceInterrupted', message: 'cannot reach the broker' });
      run.telemetry.emit({ type: 'checkpointFailed', message: 'no space left' });
      await page.waitForSelector('body[data-state="troubled"]');
      assert.deepEqual(await violations(page), []);
    });
  }

  test('headings go down one level at a time, and every table has headers', async (t) => {
    const { url } = await serverOf(t, httpParts(learnedRun(), { predictions }));
    const { page } = await openLivePage(browser, url);
    const levels = await page.evaluate<number[]>(
      "[...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName[1]))",
    );
    assert.equal(levels[0], 1);
    assert.ok(levels.every((level, index) => index === 0 || level - levels[index - 1]! <= 1));
    for (const table of await page.locator('table').all()) {
      assert.ok((await table.locator('thead th[scope="col"]').count()) > 1);
      assert.equal(await table.locator('tbody th[scope="row"]').count(), await table.locator('tbody tr').count());
    }
  });

  test('the form is reached by Tab alone and sent by Enter', async (t) => {
    const { url } = await serverOf(t, httpParts(learnedRun(), { predictions }));
    const { page } = await openLivePage(browser, url);
    await page.getByRole('textbox', { name: 'a' }).waitFor();
    const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.name ?? ""');
    for (let tab = 0; tab < 40 && (await focused()) !== 'a'; tab += 1) await page.keyboard.press('Tab');
    await page.keyboard.type('1.5');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'b');
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('7.000', { exact: true }).waitFor();
    assert.match(await page.innerText('#prediction'), /checkpoint-2, step 2, trained through 1970-01-01/);
  });

  test('what was refused is said at its field, which gets the focus', async (t) => {
    const { url } = await serverOf(t, httpParts(learnedRun(), { predictions }));
    const { page } = await openLivePage(browser, url);
    await page.getByRole('textbox', { name: 'b' }).fill('2');
    await page.keyboard.press('Enter');
    const field = page.locator('[aria-invalid="true"]');
    await field.waitFor();
    assert.equal(await field.getAttribute('name'), 'a');
    assert.equal(await page.evaluate('document.activeElement.name'), 'a');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    assert.equal(await page.innerText(`#${described}`), 'expected a number, found undefined');
    await field.fill('1');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('6.000', { exact: true }).waitFor();
    assert.equal(await page.locator('[aria-invalid]').count(), 0);
  });

  test('the first thing that Tab reaches leads past the navigation', async (t) => {
    const { url } = await serverOf(t, httpParts(learnedRun(), { predictions }));
    const { page } = await openLivePage(browser, url);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'content');
  });

  test('a screen reader is told of changes of state, not of numbers', async (t) => {
    const run = learnedRun();
    const { url } = await serverOf(t, httpParts(run, { predictions }));
    const { page } = await openLivePage(browser, url);
    await page.evaluate(`
      window.said = 0;
      const observer = new MutationObserver((changes) => { window.said += changes.length; });
      for (const region of document.querySelectorAll('[aria-live], [role="status"]')) {
        observer.observe(region, { childList: true, characterData: true, subtree: true });
      }`);
    for (let step = 0; step < 50; step += 1) run.step();
    await page.getByText(`${run.progress.outcomes.read.toLocaleString('en-US')} read`, { exact: true }).waitFor();
    assert.equal(await page.evaluate('window.said'), 0);
    run.telemetry.emit({ type: 'sourceInterrupted', message: 'cannot reach the broker' });
    await page.waitForSelector('body[data-state="troubled"]');
    assert.ok(Number(await page.evaluate('window.said')) > 0);
  });
});
