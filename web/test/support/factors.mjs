// What a person does to set a second factor up.
import assert from 'node:assert/strict';
import jsQR from 'jsqr';
import { Authenticator } from './authenticator.mjs';

/** The width of the picture that is scanned, in pixels. */
const PIXELS = 416;
const STORED = 'I have stored these codes';

/** Returns the authenticator app that has scanned the QR code of a page, which contains what the page shows. */
export async function scan(tab) {
  const image = tab.page.getByRole('img', { name: 'QR code for the authenticator app' });
  await image.waitFor();
  const pixels = await image.evaluate(async (element, size) => {
    await element.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
    const context = canvas.getContext('2d');
    context.drawImage(element, 0, 0, size, size);
    return [...context.getImageData(0, 0, size, size).data];
  }, PIXELS);
  const { data } = jsQR(Uint8ClampedArray.from(pixels), PIXELS, PIXELS);
  const link = tab.page.getByText('Open the authenticator app on this device');
  assert.equal(data, await link.getAttribute('href'));
  const typed = await tab.page.locator('.p-typed-secret code').innerText();
  const secret = new URL(data).searchParams.get('secret');
  assert.equal(typed.replaceAll(' ', ''), secret);
  return new Authenticator(secret);
}

/** Confirms that the recovery codes are stored, and returns them. */
export async function storeCodes(tab) {
  const list = tab.page.getByRole('region', { name: 'Recovery codes', exact: true });
  await list.waitFor();
  const codes = await list.locator('code').allInnerTexts();
  assert.equal(codes.length, 10);
  assert.ok(codes.every((code) => /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/.test(code)), codes.join());
  assert.equal(await tab.button('Continue').getAttribute('aria-disabled'), 'true');
  await tab.page.getByLabel(STORED).check();
  await tab.press('Continue');
  return codes;
}
