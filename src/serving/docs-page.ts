import type { OpenApi, Operation } from './openapi.ts';
import type { RecordField } from './predictor.ts';

/** The HTTP interface as a page to read: no script, no file of anybody else. */
export function docsPage({ info, paths }: OpenApi, fields: readonly RecordField[], host: string): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationHtml(path, method, operation)),
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(info.title)}: HTTP</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/style.css" />
    <link rel="stylesheet" href="/docs.css" />
  </head>
  <body class="docs">
    <header>
      <h1>${escaped(info.title)}</h1>
      <p>${escaped(info.description)}</p>
      <p><a href="/">Live page</a> · <a href="/openapi.json">OpenAPI document</a> · version ${escaped(info.version)}</p>
    </header>
    <main>
      <section>
        <h2>A record</h2>
        ${recordHtml(fields, host)}
      </section>
      ${operations.join('\n      ')}
    </main>
  </body>
</html>
`;
}

function recordHtml(fields: readonly RecordField[], host: string): string {
  if (fields.length === 0) return '<p>Its fields are known when the pipeline has started.</p>';
  const rows = fields.map(
    ({ name, type, isRequired }) =>
      `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${type}</td><td>${isRequired ? 'required' : 'may be missing'}</td></tr>`,
  );
  const example = Object.fromEntries(fields.map(({ name, type }) => [name, type === 'number' ? 1 : 'a']));
  const command = `curl -s ${host}/v1/predict -H 'content-type: application/json' -d '${JSON.stringify(example)}'`;
  return `<table><thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">needed</th></tr></thead><tbody>${rows.join('')}</tbody></table>
        <pre tabindex="0"><code>${escaped(command)}</code></pre>`;
}

function operationHtml(path: string, method: string, { summary, requestBody, responses }: Operation): string {
  const body = requestBody?.description ?? '';
  const answers = Object.entries(responses).map(
    ([status, { description }]) => `<dt>${status}</dt><dd>${escaped(description)}</dd>`,
  );
  return `<section>
        <h2><span class="method">${method.toUpperCase()}</span> <code>${escaped(path)}</code></h2>
        <p>${escaped(summary)}</p>${body === '' ? '' : `\n        <p>${escaped(body)}</p>`}
        <dl>${answers.join('')}</dl>
      </section>`;
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => names[character] ?? character);
}
