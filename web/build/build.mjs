// Builds the pages into `dist`, which is committed. With `--check`, builds into a temporary folder and fails if `dist`
// differs.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { APPS, appConfig, elementConfig, root } from './config.mjs';

const dist = join(root, 'dist');
const check = process.argv.includes('--check');
const out = mkdtempSync(join(tmpdir(), 'portico-web-'));
try {
  await buildInto(out);
  if (check) compare();
  else {
    rmSync(dist, { recursive: true, force: true });
    cpSync(out, dist, { recursive: true });
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}

async function buildInto(folder) {
  const manifest = {};
  for (const app of APPS) await build(appConfig(app, folder, manifest));
  await build(elementConfig(folder));
  cpSync(join(root, 'public'), folder, { recursive: true });
  writeFileSync(join(folder, 'pages.json'), `${JSON.stringify(manifest, null, 1)}\n`);
}

function compare() {
  const [built, committed] = [files(out), files(dist)];
  const names = new Set([...built.keys(), ...committed.keys()]);
  const differing = [...names].filter((name) => !built.has(name) || !committed.has(name) || !built.get(name).equals(committed.get(name)));
  if (differing.length === 0) return;
  console.error(`web/dist is not what the sources build: ${differing.sort().join(', ')}\nRun: npm run build (in web)`);
  process.exitCode = 1;
}

function files(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(folder.length + 1), readFileSync(path)];
  }));
}
