// Builds the native addon of @tensorflow/tfjs-node-gpu, on which the `tensorflow` backend runs:
//   npm run native [-- --gpu]
//
// The package's own download is dead, so its two source files are compiled against the libtensorflow inside PyPI's TensorFlow
// wheel; pip checks the hashes pinned in scripts/native/. Node-API is stable, so one addon serves every Node. It lies in
// ~/.cache/millrace/native (MILLRACE_CACHE moves it), where every checkout finds it and `npm ci` leaves it alone.
// What is built already is only made the current one. Needs Linux on x64, Python with pip, a C++ compiler, and Node's headers.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const signalStack = join(here, 'native', 'signal-stack.cc');
const cache = process.env.MILLRACE_CACHE ?? join(homedir(), '.cache', 'millrace');
/** CUDA's libraries find each other when the addon itself names them; libtensorflow and cuDNN look for them by name only. */
const cudaFolders = [
  'cublas',
  'cuda_cupti',
  'cuda_nvrtc',
  'cuda_runtime',
  'cudnn',
  'cufft',
  'curand',
  'cusolver',
  'cusparse',
  'nccl',
  'nvjitlink',
];

class Refused extends Error {}

/** Runs a program; `whatToDo` is for the reader of a failure. */
function run(command, args, whatToDo) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error === undefined && status === 0) return stdout;
  const said = error?.message ?? `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
  throw new Refused(`${command} ${args.slice(0, 3).join(' ')} failed: ${said}\n${whatToDo}`);
}

function works(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function addonPackage() {
  try {
    return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json'));
  } catch {
    throw new Refused('the optional package @tensorflow/tfjs-node-gpu is not installed: run `npm ci` first');
  }
}

function findPython() {
  const python = [process.env.PYTHON, 'python3', 'python'].find(
    (name) => name && works(name, ['-m', 'pip', '--version']),
  );
  if (python) return python;
  throw new Refused(
    'no Python with pip was found, which fetches TensorFlow: install it (Debian: apt-get install python3-pip), or set PYTHON to it',
  );
}

function findCompiler() {
  const compiler = [process.env.CXX, 'c++', 'g++', 'clang++'].find((name) => name && works(name, ['--version']));
  if (compiler) return compiler;
  throw new Refused('no C++ compiler was found: install one (Debian: apt-get install g++), or set CXX to it');
}

function findHeaders() {
  const prefixes = [process.env.npm_config_nodedir, join(dirname(process.execPath), '..'), '/usr', '/usr/local'];
  const folder = prefixes
    .map((prefix) => prefix && join(prefix, 'include', 'node'))
    .find((path) => path && existsSync(join(path, 'node_api.h')));
  if (folder) return folder;
  throw new Refused(
    `no node_api.h beside ${process.execPath}: install Node's headers (Debian: apt-get install libnode-dev), or set npm_config_nodedir to a folder with include/node`,
  );
}

/** Installs the pinned wheels into `site` and leaves there only the libraries that the addon loads and the headers. */
function fetchTensorflow(python, requirements, site) {
  const platforms = ['manylinux1', 'manylinux2014', 'manylinux_2_17', 'manylinux_2_27'].flatMap((name) => [
    '--platform',
    `${name}_x86_64`,
  ]);
  run(
    python,
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--no-compile',
      '--require-hashes',
      '--only-binary=:all:',
      '--python-version=3.11',
      ...platforms,
      '--cache-dir',
      join(cache, 'pip'),
      '--target',
      site,
      '--requirement',
      requirements,
    ],
    'pip could not fetch TensorFlow: is the package index reachable, is there room on the disk?',
  );
  for (const entry of readdirSync(site))
    if (entry !== 'tensorflow' && entry !== 'nvidia') rmSync(join(site, entry), { recursive: true });
  const tensorflow = join(site, 'tensorflow');
  for (const entry of readdirSync(tensorflow)) {
    if (!entry.startsWith('libtensorflow') && entry !== 'include') rmSync(join(tensorflow, entry), { recursive: true });
  }
}

function compile(compiler, headers, source, site, output) {
  const cuda = cudaFolders
    .map((name) => join('nvidia', name, 'lib'))
    .filter((folder) => existsSync(join(site, folder)));
  const cudaLibraries = cuda.flatMap((folder) =>
    readdirSync(join(site, folder))
      .filter((name) => /\.so(\.\d+)+$/.test(name))
      .map((name) => join(site, folder, name)),
  );
  const flags = [
    '-O2',
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-w',
    '-DNAPI_VERSION=8',
    '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    '-DBUILDING_NODE_EXTENSION',
    `-I${headers}`,
    `-I${join(site, 'tensorflow', 'include')}`,
    `-I${source}`,
    join(source, 'binding', 'tfjs_backend.cc'),
    join(source, 'binding', 'tfjs_binding.cc'),
    '-o',
    output,
    `-L${join(site, 'tensorflow')}`,
    '-Wl,--no-as-needed',
    '-l:libtensorflow_cc.so.2',
    '-l:libtensorflow_framework.so.2',
    ...cudaLibraries,
    ...['tensorflow', ...cuda].map((folder) => `-Wl,-rpath,$ORIGIN/site/${folder}`),
  ];
  run(compiler, flags, 'The addon did not compile.');
}

function compileSignalStack(compiler, headers, output) {
  const flags = [
    '-O2',
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-DNAPI_VERSION=8',
    `-I${headers}`,
    signalStack,
    '-o',
    output,
  ];
  run(compiler, flags, 'The stack for signals did not compile.');
}

/** Loads an addon in a process of its own, since a library that does not fit may take the process down. */
function versionOf(addon) {
  const script = `const b = require(${JSON.stringify(addon)}); console.log(b.TF_Version)`;
  return run(process.execPath, ['-e', script], 'The addon was built but does not load.').trim();
}

function build(name, folder, requirements, source) {
  const [python, compiler, headers] = [findPython(), findCompiler(), findHeaders()];
  const work = mkdtempSync(join(cache, 'native', 'build-'));
  try {
    console.log('fetching TensorFlow');
    const site = join(work, 'site');
    fetchTensorflow(python, requirements, site);
    console.log('compiling the addon');
    compile(compiler, headers, source, site, join(work, 'tfjs_binding.node'));
    compileSignalStack(compiler, headers, join(work, 'signal_stack.node'));
    rmSync(join(site, 'tensorflow', 'include'), { recursive: true });
    versionOf(join(work, 'tfjs_binding.node'));
    // A service of another user loads it.
    chmodSync(work, 0o755);
    // A folder appears under its final name only when it is complete.
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function main() {
  const unknown = process.argv.slice(2).filter((option) => option !== '--gpu');
  if (unknown.length > 0) throw new Refused(`${unknown[0]}: not an option; usage: npm run native [-- --gpu]`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Refused(
      `the native build is for Linux on x64, this is ${process.platform} on ${process.arch}; the wasm backend works here`,
    );
  }
  const device = process.argv.includes('--gpu') ? 'gpu' : 'cpu';
  const requirements = join(here, 'native', `${device}.txt`);
  const source = addonPackage();
  // Another wheel, package or way of building gets another folder.
  const digest = createHash('sha256')
    .update(readFileSync(requirements))
    .update(readFileSync(signalStack))
    .update(readFileSync(join(source, 'package.json')))
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex');
  const name = `${device}-${digest.slice(0, 12)}`;
  const folder = join(cache, 'native', name);
  mkdirSync(join(cache, 'native'), { recursive: true });
  if (existsSync(folder)) console.log('built before, nothing to do');
  else build(name, folder, requirements, source);
  const tensorflow = versionOf(join(folder, 'tfjs_binding.node'));
  const pointer = join(cache, 'native', 'current.json');
  writeFileSync(
    `${pointer}.tmp`,
    `${JSON.stringify({ addon: `${name}/tfjs_binding.node`, signalStack: `${name}/signal_stack.node`, tensorflow, device })}\n`,
  );
  renameSync(`${pointer}.tmp`, pointer);
  console.log(`TensorFlow ${tensorflow} for ${device === 'gpu' ? 'CUDA' : 'the CPU'} in ${folder}`);
  console.log('`npx millrace backends` shows it');
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
