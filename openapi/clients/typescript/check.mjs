// Fails if src/generated differs from what the generator makes of ../../openapi.json.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GENERATED = join('src', 'generated');

/** Returns the text of each file in a folder and its subfolders, keyed by the path relative to the folder. */
async function contents(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')])));
}

const fresh = await mkdtemp(join(tmpdir(), 'portico-client-'));
try {
  execFileSync('openapi-ts', ['--silent', '--output', fresh], { stdio: 'inherit' });
  const [committed, generated] = await Promise.all([GENERATED, fresh].map(contents));
  const stale = [...new Set([...committed.keys(), ...generated.keys()])].filter((path) => committed.get(path) !== generated.get(path));
  if (stale.length > 0) {
    console.error(`src/generated does not match ../../openapi.json: ${stale.sort().join(', ')}`);
    console.error('Run "npm run generate" in openapi/clients/typescript and commit src/generated.');
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true });
}
