// The tables of the bulk invitation. The server reads a table for the preview, and the page reads it once more to send
// it in parts. So the page must find the same rows as the server (`api/src/tenancy/bulk_invitations/table.rs`).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const SOURCE = fileURLToPath(new URL('../../console/parts/bulk/table.ts', import.meta.url));
const { csvForSpreadsheets, csvOf, readTable, textOfFile } = (await runnerImport(SOURCE, { configFile: false, logLevel: 'error' })).module;

const ROWS = [['a@x.test', 'Jürgen, "J"'], ['b@x.test', '']];

for (const [kind, text] of Object.entries({
  'with commas and quotation marks': 'email,name\na@x.test,"Jürgen, ""J"""\nb@x.test,\n',
  'with a byte order mark and empty lines': '\u{feff}\r\nemail,name\r\na@x.test,"Jürgen, ""J"""\r\n\r\nb@x.test,',
  'with semicolons, and empty rows at the end': 'email;name\r\na@x.test;Jürgen, "J"\r\nb@x.test;\r\n;\r\n',
  'with semicolons, below an empty line': '\nemail;name\na@x.test;Jürgen, "J"\nb@x.test;',
  'with tabs and everything in quotation marks': '"email"\t"name"\n"a@x.test"\t"Jürgen, ""J"""\n"b@x.test"\t""\n',
  'with the line ends of old Macs': 'email,name\ra@x.test,"Jürgen, ""J"""\rb@x.test,\r',
})) {
  test(`a table ${kind} is read`, () => assert.deepEqual(readTable(text), { header: ['email', 'name'], rows: ROWS }));
}

test('names of columns are found in any case, and cells keep their line breaks and spaces', () => {
  assert.deepEqual(readTable('Name; EMAIL \r\n"two\r\nlines"; a@x.test '), { header: ['Name', ' EMAIL '], rows: [['two\r\nlines', ' a@x.test ']] });
});

test('names in right-to-left scripts are kept as they are', () => {
  const name = 'שרה كريمة \u{200f}(x)';
  assert.deepEqual(readTable(`email,name\na@x.test,${name}`).rows, [['a@x.test', name]]);
});

for (const [encoding, bytes] of Object.entries({
  'UTF-8': Buffer.from('email,name\na@x.test,Jürgen'),
  'UTF-8 with a byte order mark': Buffer.from('\u{feff}email,name\na@x.test,Jürgen'),
  'Windows-1252': Buffer.from('email,name\na@x.test,J\xfcrgen', 'latin1'),
  'Windows-1252 with a byte order mark': Buffer.from('\xef\xbb\xbfemail,name\na@x.test,J\xfcrgen', 'latin1'),
})) {
  test(`a file in ${encoding} is decoded`, async () => {
    assert.deepEqual(readTable(await textOfFile(new Blob([bytes]))), { header: ['email', 'name'], rows: [['a@x.test', 'Jürgen']] });
  });
}

test('a part of a table is read back as it was, with any cells', () => {
  const rows = [['email', 'name'], ['a@x.test', 'a "b", c;d\te\r\nf'], ['b@x.test', '=1+1'], ['c@x.test', '"']];
  assert.deepEqual(readTable(csvOf(rows)), { header: rows[0], rows: rows.slice(1) });
});

test('a spreadsheet program runs no cell of a saved table', () => {
  const formulas = ['=1+1', '+1', '-1', '@x', '\t=1', '\r=1', ' =1', '＝1', 'a;=1', 'a,+1'];
  const [, ...saved] = csvForSpreadsheets([['name'], ...formulas.map((cell) => [cell])]).trim().split('\r\n');
  for (const [index, line] of saved.entries()) assert.match(line, /^"(?:a[;,])?'/, formulas[index]);
  const lines = csvForSpreadsheets([['x\r\n=1', 'x\n +1', 'x\r@y']]);
  assert.ok(lines.includes(`"x\r\n'=1","x\n' +1","x\r'@y"`), lines);
  assert.ok(csvForSpreadsheets([['Ann - Baker']]).includes('"Ann - Baker"'));
  assert.ok(csvForSpreadsheets([['x']]).startsWith('\u{feff}'));
});

test('a row is empty for the page exactly if it is for the server', () => {
  const { rows } = readTable('email\n\u{85}\n\u{feff}\n \t\u{2003}\na@x.test\n');
  assert.deepEqual(rows, [['\u{feff}'], ['a@x.test']]);
});
