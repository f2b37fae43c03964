// Compiles every TypeScript sample of README.md and of the README of Portico, each as a module of its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const READMES = ['../README.md', '../../../../README.md'];

/** Returns the samples, keyed by a file name that says where the sample is. */
function samples() {
  const found = READMES.flatMap((path, number) => {
    const readme = readFileSync(join(FOLDER, path), 'utf8');
    return [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(({ index, 1: code }) => {
      const line = readme.slice(0, index).split('\n').length + 1;
      return [join(FOLDER, `README-${number}.${line}.ts`), code];
    });
  });
  return new Map(found);
}

/** Compiles files that exist in memory only, with the options of tsconfig.json, and returns the error messages. */
function compile(files) {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(FOLDER, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    FOLDER,
  );
  const host = ts.createCompilerHost({ ...options });
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) =>
    files.has(path) ? ts.createSourceFile(path, files.get(path), rest[0]) : getSourceFile(path, ...rest);
  const program = ts.createProgram([...files.keys(), join(FOLDER, 'support/samples.d.ts')], options, host);
  return ts.getPreEmitDiagnostics(program).map((problem) => ts.formatDiagnostic(problem, host));
}

test('every sample compiles', () => {
  const files = samples();
  assert.ok(files.size >= 6, `found ${files.size} samples`);
  assert.deepEqual(compile(files), []);
});

test('a sample with a wrong code does not compile', () => {
  const code =
    "import { signIn } from '@portico/client';\nexport const { error } = await signIn({ body: { email, password } });\n";
  const compare = (word) =>
    compile(new Map([[join(FOLDER, 'sample.ts'), `${code}export const is = error?.code === '${word}';\n`]]));
  assert.deepEqual(compare('invalid_credentials'), []);
  assert.match(compare('invalid_credential').join(), /TS2367/);
});

test('no sample contains a cast or "any"', () => {
  for (const code of samples().values()) assert.doesNotMatch(code, /\bas (?!const\b)[A-Za-z]|\bany\b|@ts-/);
});
