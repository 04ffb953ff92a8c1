// Takes a picture of a page in Debian's Chromium:
// `node --import tsx scripts/screenshot.ts URL OUT.png [--dark] [--width N] [--height N] [--scale N]`.
// Without a height the whole page is in the picture; the scale is of pixels to CSS pixels.
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    dark: { type: 'boolean', default: false },
    width: { type: 'string', default: '1200' },
    height: { type: 'string' },
    scale: { type: 'string', default: '1.5' },
  },
});
const [url, path] = positionals;
if (url === undefined || path === undefined)
  throw new Error('usage: screenshot.ts URL OUT.png [--dark] [--width N] [--height N] [--scale N]');

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height ?? 800) },
    colorScheme: values.dark ? 'dark' : 'light',
    deviceScaleFactor: Number(values.scale),
  });
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForSelector('body:not([data-state="connecting"])');
  // Features come two seconds later, and charts with the next point.
  await page.waitForTimeout(3000);
  await page.screenshot({ path, fullPage: values.height === undefined });
} finally {
  await browser.close();
}
