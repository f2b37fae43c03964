// What a page must not keep.
import assert from 'node:assert/strict';

/** Asserts that a page has a text neither in its document nor as the value of a field, which is no part of the document. */
export async function assertForgotten({ page }, text) {
  const places = await page.evaluate(() => {
    const values = [...document.querySelectorAll('input, textarea')].map(({ value }) => value);
    return [document.documentElement.outerHTML, ...values];
  });
  assert.ok(!places.some((place) => place.includes(text)), 'the page still has the text');
}
