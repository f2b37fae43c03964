// The folders of `web/` are layers: each imports only those below it, and no folders import each other.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const CLIENT = '@portico/client';

/** What each layer may import besides itself and the packages of `package.json`. */
const LAYERS = {
  portal: ['start', 'kit', 'app', 'i18n', CLIENT],
  console: ['start', 'kit', 'app', 'i18n', CLIENT],
  catalogue: ['kit', 'app', 'i18n', CLIENT],
  elements: ['kit', 'app', 'i18n', CLIENT],
  start: ['kit', 'app'],
  kit: ['app', CLIENT],
  app: ['i18n', CLIENT],
  i18n: [CLIENT],
};

/** Static imports, exports from a file, and dynamic imports, also those of types. */
const IMPORT = /\b(?:from|import)\s*\(?\s*'([^']+)'/g;
const GLOB = /import\.meta\.glob\(([^)]*)\)/g;

const imports = Object.keys(LAYERS).flatMap(filesOf).flatMap(importsOf);

function filesOf(layer) {
  const entries = readdirSync(join(WEB, layer), { recursive: true, withFileTypes: true });
  return entries.filter(({ name }) => /\.(tsx?|mjs)$/.test(name)).map(({ parentPath, name }) => join(parentPath, name));
}

/** Returns the imports of a file: its path, and the path below `web` or the package that it names. */
function importsOf(path) {
  const source = readFileSync(path, 'utf8');
  const globs = [...source.matchAll(GLOB)].flatMap(([, patterns]) => [...patterns.matchAll(/'!?([^']+)'/g)]);
  const targets = [...source.matchAll(IMPORT), ...globs].map(([, target]) => target);
  return targets.map((target) => ({
    file: relative(WEB, path),
    target: target.startsWith('.') ? relative(WEB, join(dirname(path), target)) : target,
  }));
}

const layerOf = (path) => (path.startsWith(CLIENT) ? CLIENT : path.split('/')[0]);
const isLayer = (name) => name === CLIENT || Object.hasOwn(LAYERS, name);

test('each layer imports only the layers below it', () => {
  assert.ok(imports.length > 500, `only ${imports.length} imports were found`);
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [layerOf(file), layerOf(target)];
    if (target.startsWith('..')) return true;
    return isLayer(to) && to !== from && !LAYERS[from].includes(to);
  });
  assert.deepEqual(wrong.map(({ file, target }) => `${file} imports ${target}`), []);
});

test('no folders import each other', () => {
  const folders = new Map();
  for (const { file, target } of imports) {
    const [from, to] = [dirname(file), dirname(target)];
    if (isLayer(layerOf(target)) && from !== to) folders.set(from, (folders.get(from) ?? new Set()).add(to));
  }
  assert.deepEqual(cycleOf(folders), []);
});

/** Returns the folders of a cycle, or none. */
function cycleOf(folders) {
  const done = new Set();
  const search = (folder, path) => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return [];
    for (const next of folders.get(folder) ?? []) {
      const cycle = search(next, [...path, folder]);
      if (cycle.length > 0) return cycle;
    }
    done.add(folder);
    return [];
  };
  return [...folders.keys()].map((folder) => search(folder, [])).find((cycle) => cycle.length > 0) ?? [];
}
