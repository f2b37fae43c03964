// Values that the pages repeat from the server, because they need them before they ask it. Lists of values of the API
// need no test: a list that lacks one does not compile (`web/app/values.ts`).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const urlOf = (path) => new URL(`../../../${path}`, import.meta.url);
const textOf = (path) => readFileSync(urlOf(path), 'utf8');
const moduleOf = async (path) =>
  (await runnerImport(fileURLToPath(urlOf(path)), { configFile: false, logLevel: 'error' })).module;

const document = JSON.parse(textOf('openapi/openapi.json'));
const schemaOf = (name, property) => document.components.schemas[name].properties[property];

/** Returns the number that a file gives to a constant: `NAME = 1_000` or a product, with the type of Rust or without. */
function constant(path, name) {
  const [, value] = textOf(path).match(new RegExp(`const ${name}(?:: \\w+)? = ([\\d_.* ]+);`)) ?? assert.fail(`${path}: ${name}`);
  return value.replaceAll('_', '').split('*').reduce((product, factor) => product * Number(factor), 1);
}

test('numbers are those of the server', () => {
  const web = (path, name) => constant(`web/console/${path}`, name);
  const server = (path, name) => constant(`domain/src/${path}`, name);
  assert.equal(web('parts/codes/code-flow.ts', 'MAX_MISSES'), server('identity/mailed_codes/code.rs', 'MAX_MISSES'));
  const step = (name) => constant('web/kit/factors/ended-notice.tsx', name);
  assert.equal(step('MAX_MISSES'), server('identity/mfa/challenge.rs', 'MAX_MISSES'));
  assert.equal(web('parts/cli-login/login.ts', 'CLI_TOKEN_DAYS'), server('tenancy/api_tokens/mod.rs', 'DEFAULT_DAYS'));
  assert.equal(web('parts/tokens/create-token.tsx', 'DEFAULT_DAYS'), server('tenancy/api_tokens/mod.rs', 'DEFAULT_DAYS'));
  assert.equal(web('parts/cli-login/login.ts', 'MAX_NAME_LENGTH'), server('platform/name.rs', 'MAX_CHARACTERS'));
  assert.equal(web('parts/cli-login/login.ts', 'MIN_PORT'), schemaOf('ApproveCliLogin', 'port').minimum);
  assert.equal(web('parts/cli-login/login.ts', 'MAX_PORT'), schemaOf('ApproveCliLogin', 'port').maximum);
  assert.equal(web('parts/branding/radius-field.tsx', 'MAX_RADIUS'), schemaOf('UpdateBranding', 'radius').maximum);
  assert.equal(web('parts/branding/logo-upload.ts', 'MAX_BYTES'), server('tenancy/branding/image/mod.rs', 'MAX_UPLOAD_BYTES'));
  assert.equal(web('parts/branding/contrast.ts', 'MIN_CONTRAST'), server('tenancy/branding/contrast.rs', 'MIN_CONTRAST'));
  assert.equal(web('bulk-invite.tsx', 'MAX_BYTES'), constant('api/src/http/document/mod.rs', 'MAX_LARGE_BODY_BYTES'));
  assert.equal(constant('web/app/search.ts', 'MIN_SEARCH_LENGTH'), server('platform/search.rs', 'MIN_CHARS'));
  const days = textOf('web/console/parts/tokens/create-token.tsx').match(/const DAYS = \[(.+)\];/)[1].split(',').map(Number);
  assert.equal(Math.max(...days), schemaOf('CreateApiToken', 'expires_in_days').maximum);
  assert.ok(web('parts/bulk/sending.ts', 'ROWS_PER_REQUEST') <= schemaOf('BulkInvite', 'rows').maxItems);
});

test('a logo has the media types of the server', () => {
  const [, types] = textOf('web/console/parts/branding/logo-upload.ts').match(/LOGO_TYPES = \[(.+)\];/);
  const { content } = document.paths['/api/v1/branding/logo'].put.requestBody;
  assert.deepEqual(types.match(/[\w/]+/g).sort(), Object.keys(content).sort());
});

test('the languages are those of the mails', async () => {
  const { LOCALES } = await moduleOf('web/app/locales.ts');
  const tags = textOf('domain/src/platform/language.rs').matchAll(/Self::\w+ => "(\w+)"/g);
  assert.deepEqual(LOCALES, Array.from(tags, ([, tag]) => tag));
});

test('the roles have the permissions of docs/roles.md', async () => {
  const { ROLES, SCOPES, permissionsOfRole } = await moduleOf('web/console/parts/staff/roles.ts');
  const rows = textOf('docs/roles.md').split('\n').filter((line) => /^\| `?[\w:]+`? \|.*\| (yes|–|scope of API tokens) \|$/.test(line));
  const [head, ...table] = rows.map((row) => row.replaceAll('`', '').split('|').slice(1, -1).map((cell) => cell.trim()));
  assert.deepEqual(ROLES, head.slice(1, -1));
  const having = (column) => table.filter((row) => row[column] === 'yes').map(([permission]) => permission);
  for (const [at, role] of ROLES.entries()) {
    assert.deepEqual([...permissionsOfRole(role)].sort(), having(at + 1).sort(), role);
  }
  assert.deepEqual(SCOPES, having(head.length - 1));
});

test('the preview of a brand has the colours of the pages, and the server measures contrast to them', () => {
  const preview = textOf('web/console/parts/branding/contrast.ts');
  const server = textOf('domain/src/tenancy/branding/contrast.rs');
  const tokens = textOf('web/kit/styles/tokens.css');
  const color = (name) => tokens.match(new RegExp(`--portico-${name}: light-dark\\((#\\w+), (#\\w+)\\)`)).slice(1);
  const [background, surface] = [color('background'), color('surface')];
  for (const [at, theme] of ['light', 'dark'].entries()) {
    const ofPreview = preview.match(new RegExp(`${theme}: \\[([^\\]]+)\\]`))[1].match(/#\w+/g);
    const [, list] = server.match(new RegExp(`const ${theme.toUpperCase()}: Theme = Theme \\{\\s+backgrounds: \\[(.+)\\]`));
    const ofServer = list.match(/WHITE|new\([^)]*\)/g).map(hex);
    const ofPages = [background[at], surface[at]].sort();
    assert.deepEqual([...ofPreview].sort(), ofPages, theme);
    assert.deepEqual(ofServer.sort(), ofPages, theme);
  }
  const nearBlack = textOf('domain/src/tenancy/branding/color.rs').match(/NEAR_BLACK: Self = Self\(\[(.*)\]\)/)[1];
  assert.equal(preview.match(/NEAR_BLACK = '(#\w+)'/)[1], hex(nearBlack));
  const neutral = textOf('domain/src/tenancy/branding/stored.rs').match(/accent(?:_dark)?: Color::new\([^)]*\)/g).map(hex);
  const shown = textOf('web/console/parts/branding/preview.tsx').match(/NEUTRAL: .* = \{ light: '(#\w+)', dark: '(#\w+)' \}/).slice(1);
  assert.deepEqual(shown, neutral);
});

/** Returns the colour of `WHITE` or of a source with three numbers such as `0x1f`. */
const hex = (source) => (source === 'WHITE' ? '#ffffff' : `#${source.match(/0x\w\w/g).map((part) => part.slice(2)).join('')}`);
