/** The import table of ARCHITECTURE.md. */
const shared =
  '^src/(records|reject-reasons|errors|error-codes|telemetry|clock|progress|process-lock|durable-files|columns|fmix32|json-depth)\\.ts$';

/** A component folder imports the shared files, its own, and packages. */
const component = (name, alsoAllowed = []) => ({
  name: `${name}-imports-shared-and-itself`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: [shared, `^src/${name}/`, ...alsoAllowed] },
});

const vendor = (packages, folders) => ({
  name: `only-${folders.join('-and-')}-imports-${packages[0]}`,
  severity: 'error',
  from: { path: '^src/', pathNot: folders.map((folder) => `^src/${folder}(/|\\.ts$)`) },
  to: { path: packages.map((name) => `node_modules/${name}/`) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'shared-files-import-nothing',
      severity: 'error',
      from: { path: shared },
      to: { path: '^src/', pathNot: shared },
    },
    ...[
      'codecs',
      'sources',
      'operators',
      'trainer',
      'checkpoint',
      'metrics',
      'serving',
      'promotion',
      'config',
      'dead-letters',
      'sensors',
    ].map((name) => component(name)),
    {
      name: 'graph-imports-itself',
      severity: 'error',
      from: { path: '^src/trainer/graph/' },
      to: { path: '^src/', pathNot: ['^src/trainer/graph/'] },
    },
    {
      name: 'only-commands-and-the-library-import-service',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/service/', '^src/cli/', '^src/index\\.ts$'] },
      to: { path: '^src/service/' },
    },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/cli/'] },
      to: { path: '^src/cli/' },
    },
    {
      name: 'src-imports-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|examples)/' },
    },
    vendor(['kafkajs'], ['sources']),
    vendor(['avsc'], ['codecs']),
    vendor(['@tensorflow'], ['trainer']),
    vendor(['prom-client'], ['metrics']),
    vendor(['@grafana'], ['metrics']),
    vendor(['rxjs'], ['sources', 'operators', 'pipeline', 'service', 'cli']),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
