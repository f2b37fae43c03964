// Using a page by keyboard alone.
import assert from 'node:assert/strict';

/** Presses Tab until the focus is on the control with this name. Each control on the way must show its focus. */
export async function tabTo(tab, role, name) {
  const target = role === 'textbox' ? tab.field(name) : tab.page.getByRole(role, { name, exact: typeof name === 'string' }).first();
  await target.waitFor();
  for (let presses = 0; presses < 60; presses += 1) {
    await tab.page.keyboard.press('Tab');
    // Behind the last control, the focus leaves the page and comes back at its beginning.
    const isMarked = () => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none';
    assert.ok(await tab.page.evaluate(isMarked), 'the control with the focus is not marked');
    if (await hasFocus(target)) return;
  }
  assert.fail(`no way to ${name} by keyboard`);
}

/** Asserts that Tab leads to controls with these names, in this order. */
export async function assertTabOrder(tab, names) {
  for (const name of names) {
    await tab.page.keyboard.press('Tab');
    const focused = await tab.page.evaluate(() => {
      const { ariaLabel, labels, textContent } = document.activeElement;
      return (ariaLabel ?? labels?.[0]?.textContent ?? textContent).trim();
    });
    assert.ok(focused.startsWith(name), `Tab leads to ${focused}, and not to ${name}`);
  }
}

/** Whether an element has the focus. */
export const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** Waits until an element has the focus. */
export const waitForFocus = (locator) => locator.and(locator.page().locator(':focus')).waitFor();
