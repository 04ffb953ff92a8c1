import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const args = [...quiet, '--disable-component-update', '--disable-sync'];

/** Why tests in a browser cannot run here; false where they can. */
export const noBrowser = existsSync(executablePath)
  ? false
  : `no Chromium at ${executablePath} (Debian package chromium)`;

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args });
}

/** A page that writes down what it should not do: warn, fail, or ask anybody else for anything. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, ...options });
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** The live page, once it shows something. */
export async function openLivePage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): ReturnType<typeof openPage> {
  const opened = await openPage(browser, url, options);
  await opened.page.waitForSelector('body:not([data-state="connecting"])');
  return opened;
}
