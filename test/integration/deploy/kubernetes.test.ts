import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import { duration } from '../../../src/config/quantities.ts';
import { documentOf, projectRoot, runForDocument, startProcess, temporaryDirectory } from '../../support/command.ts';
import { missing, pythonWithPackages } from '../../support/requirements.ts';
import { toolOutput } from '../../support/watchers.ts';

/** What the tests read of a resource. */
interface Resource {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>> & {
    readonly template?: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly { readonly image: string; readonly resources: unknown }[];
      };
    };
  };
}

const judge = fileURLToPath(new URL('../../support/python/kubernetes.py', import.meta.url));
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };

function built(overlay: string): readonly Resource[] {
  const text = toolOutput('kubectl', ['kustomize', join(projectRoot, 'deploy/kubernetes', overlay)]);
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}

/** What is wrong with each resource, by its kind; null where nothing is. */
async function judged(dir: string, resources: readonly Resource[]): Promise<Readonly<Record<string, string | null>>> {
  const file = join(dir, 'resources.yaml');
  writeFileSync(file, resources.map((resource) => `---\n${stringify(resource)}`).join(''));
  const { ended } = startProcess(pythonWithPackages, ['-B', judge, file]);
  return documentOf(await ended) as Readonly<Record<string, string | null>>;
}

const kinds = [
  'ConfigMap',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'PrometheusRule',
  'Service',
  'ServiceMonitor',
  'StatefulSet',
];

describe('on Kubernetes,', { skip: missing('kubectl', 'python-packages') ?? false }, () => {
  for (const [overlay, tag] of Object.entries({ base: version, gpu: `${version}-gpu` })) {
    test(`${overlay}: every resource is what the API and Prometheus's operator take`, async (t) => {
      const resources = built(overlay);
      const fine = Object.fromEntries(kinds.map((kind) => [kind, null]));
      assert.deepEqual(await judged(temporaryDirectory(t), resources), fine);
      const [container] = resources.find(({ kind }) => kind === 'StatefulSet')?.spec?.template?.spec.containers ?? [];
      assert.equal(container?.image, `millrace:${tag}`);
    });
  }

  test('a misspelt key does not pass, in any resource', async (t) => {
    const wrong = built('base').map((resource) => ({ ...resource, spec: { ...resource.spec, replicaz: 1 } }));
    const problems = await judged(temporaryDirectory(t), wrong);
    for (const kind of kinds) assert.match(problems[kind] ?? `${kind} passed`, /replicaz|spec/);
  });

  test('the configuration is valid, and the pod has more time to stop than the pipeline takes', async (t) => {
    const dir = temporaryDirectory(t);
    const resources = built('base');
    const token = join(dir, 'token');
    writeFileSync(token, 'secret');
    const text = resources.find(({ data }) => data !== undefined)?.data?.['millrace.yaml'] ?? '';
    const file = join(dir, 'millrace.yaml');
    writeFileSync(file, text.replace('/run/secrets/millrace/http-token', token));
    const { values } = (await runForDocument(['validate', file, '--json'])) as { values: unknown };
    assert.ok(values);
    const pod = resources.find(({ kind }) => kind === 'StatefulSet')?.spec?.template?.spec;
    const shutdownMs = duration.parse(/^shutdownTimeout: (\S+)$/m.exec(text)?.[1]);
    assert.ok((pod?.terminationGracePeriodSeconds ?? 0) * 1000 > shutdownMs);
  });
});
