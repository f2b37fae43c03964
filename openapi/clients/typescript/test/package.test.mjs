// Packs the package, installs it in a new project, and compiles and runs a program there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const PROGRAM = `import { createHttpClient, getSession, type GetSessionError } from '@portico/client';

const client = createHttpClient({ baseUrl: 'http://127.0.0.1:1' });
const { error } = await getSession({ client });
const code: GetSessionError['code'] | undefined = error?.code;
// @ts-expect-error: if TypeScript did not find the types of the package, this would compile.
code === 'no_such_code';
console.log(code);
`;

let project;
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'portico-consumer-'));
  // `npm test` has just built dist/, so the package is not built again.
  const [packed] = JSON.parse(
    await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], PACKAGE),
  );
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }');
  await writeFile(join(project, 'program.ts'), PROGRAM);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`]);
});
after(() => project && rm(project, { recursive: true }));

/** Runs a program and returns its output. */
async function run(program, args, cwd = project) {
  const { stdout } = await promisify(execFile)(program, args, { cwd }).catch((error) => {
    throw new Error(`${program} failed:\n${error.stdout}${error.stderr}`);
  });
  return stdout;
}

// `skipLibCheck` saves seconds. The program itself shows whether the types of the package are found.
const OPTIONS = ['--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2022,dom'];
const compile = (...options) => run(process.execPath, [TSC, ...OPTIONS, ...options, 'program.ts']);

test('a program that is compiled for Node runs with the installed package', async () => {
  await compile('--module', 'nodenext', '--moduleResolution', 'nodenext');
  assert.equal(await run(process.execPath, ['program.js']), 'network_error\n');
});

test('a program for a bundler compiles with the installed package', () =>
  compile('--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit'));
