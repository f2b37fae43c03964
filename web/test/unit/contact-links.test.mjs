// The links to the contacts of a company.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const source = fileURLToPath(new URL('../../portal/parts/contact-links.ts', import.meta.url));
const { module: { mailto, tel } } = await runnerImport(source, { configFile: false, logLevel: 'error' });

test('an address adds no field to a mail, and is the address of the link', () => {
  for (const [address, uri] of [
    ['help@b.test', 'mailto:help@b.test'],
    ['a?bcc=c%40evil.test&x@b.test', 'mailto:a%3Fbcc%3Dc%2540evil.test%26x@b.test'],
    ['"a b"@b.test', 'mailto:%22a%20b%22@b.test'],
  ]) {
    assert.equal(mailto(address), uri);
    assert.equal(new URL(uri).search, '');
    assert.equal(decodeURIComponent(new URL(uri).pathname), address);
  }
});

test('a number has digits only, and calls the same telephone from abroad', () => {
  for (const [number, uri] of [
    ['0800/123-456', 'tel:0800123456'],
    ['+44 (0)20 7946 0000', 'tel:+442079460000'],
    ['112;phone-context=x?y&"z %', 'tel:112'],
  ]) {
    assert.equal(tel(number), uri);
  }
});
