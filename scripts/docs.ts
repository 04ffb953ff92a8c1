// Writes the generated pages, and rules for Kubernetes: `npm run docs`; with `--check` fails where one is not up to date.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { metricsPage } from '../src/metrics/metrics-page.ts';
import { commandPage } from './command-page.ts';
import { configurationPage, configurationSchema } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { httpPage } from './http-page.ts';
import { libraryPage } from './library-page.ts';
import { kubernetesRules } from './kubernetes-rules.ts';

const pages: readonly { readonly path: string; readonly render: () => string | Promise<string> }[] = [
  { path: 'docs/metrics.md', render: metricsPage },
  { path: 'docs/http.md', render: httpPage },
  { path: 'docs/cli.md', render: commandPage },
  { path: 'docs/errors.md', render: errorsPage },
  { path: 'docs/library.md', render: libraryPage },
  { path: 'docs/configuration.md', render: configurationPage },
  { path: 'docs/config.schema.json', render: configurationSchema },
  { path: 'deploy/kubernetes/base/prometheus-rule.yaml', render: kubernetesRules },
];

const isCheck = process.argv.includes('--check');
for (const { path, render } of pages) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const wanted = await render();
  if (!isCheck) await writeFile(file, wanted);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
    console.error(`${path} is not up to date: run npm run docs and commit it`);
    process.exitCode = 1;
  }
}
