// Takes a picture of a page in Debian's Chromium: `node --import tsx scripts/screenshot.ts URL OUT.png [--dark] [--width N]`.
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { dark: { type: 'boolean', default: false }, width: { type: 'string', default: '1200' } },
});
const [url, path] = positionals;
if (url === undefined || path === undefined) throw new Error('usage: screenshot.ts URL OUT.png [--dark] [--width N]');

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: 800 },
    colorScheme: values.dark ? 'dark' : 'light',
    deviceScaleFactor: 2,
  });
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForSelector('body:not([data-state="connecting"])');
  await page.waitForTimeout(1000);
  await page.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
}
