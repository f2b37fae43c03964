// The controls of a page, for the acts of the table of pages. Texts are in English, and the page may be in any language.
import { inAnyLanguage } from './any-language.mjs';

export class Controls {
  constructor({ page, visitor }) {
    this.page = page;
    this.visitor = visitor;
  }

  /** Presses the button with a text. */
  press = async (text) => this.page.getByRole('button', { name: await inAnyLanguage(text) }).first().click();

  /** Presses the button that sends the form in front. */
  submit = () => this.page.locator('button[type=submit]').last().click();

  /** Fills fields, which have these names, and sends the form in front. */
  async send(values) {
    for (const [name, value] of Object.entries(values)) await this.page.locator(`[name="${name}"]`).last().fill(value);
    await this.submit();
  }

  /** Opens the menu of the row that contains a text. */
  openRow = (text) => this.page.getByRole('row').filter({ hasText: text }).locator('.p-row-menu > button').first().click();

  /** Chooses an item of the menu of the row that contains a text. */
  async choose(text, item) {
    await this.openRow(text);
    await this.press(item);
  }

  /** Waits for a text. */
  sees = async (text) => this.page.getByText(await inAnyLanguage(text)).filter({ visible: true }).first().waitFor();
}
