// Using a page by keyboard alone.
import assert from 'node:assert/strict';

/** Presses Tab until the focus is on the control with this name. Each control on the way must show its focus. */
export async function tabTo(tab, role, name) {
  const target = role === 'textbox' ? tab.field(name) : tab.page.getByRole(role, { name, exact: typeof name === 'string' }).first();
  for (let presses = 0; presses < 60; presses += 1) {
    await tab.page.keyboard.press('Tab');
    const outline = await tab.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', 'the control with the focus is not marked');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail(`no way to ${name} by keyboard`);
}
