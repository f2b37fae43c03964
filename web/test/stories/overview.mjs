import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Returns the numbers of a table of the page, summed up over its rows: a run at midnight has two days. */
const sumsOf = ({ page }, caption) =>
  page.getByRole('table', { name: caption }).locator('tbody tr').evaluateAll((rows) =>
    rows
      .map(({ cells }) => [...cells].slice(1).map(({ textContent }) => Number(textContent)))
      .reduce((sums, numbers) => sums.map((sum, index) => sum + numbers[index])),
  );

story('the overview counts how far invitations have come and which mails have failed, for its tenant alone', async ({ world, visitor }) => {
  const { owner: staff } = await world.tenant('Pine & Partners');
  const [client, second] = [await world.client('Acme Ltd', staff), await world.client('Acme Export', staff)];
  const [ben, cid] = [await world.invite({ client, staff }), await world.invite({ client, staff, email: world.address('cid') })];
  const ann = await world.person({ client, staff });
  await world.call('POST', '/api/portal/auth/sign-in', { body: { email: ann, password: PASSWORD } });
  // Ann gets access to the second client at once, and has not opened it yet.
  await world.invite({ client: second, staff, email: ann });
  for (const email of [ann, ben]) await world.awaitMail(email, 'sent');
  await world.failMail(cid, 'recipient_refused');

  const tab = await (await visitor()).openConsole(staff);
  await tab.page.getByText('Show as a table').click();
  const columns = tab.page.getByRole('table', { name: 'From the invitation to the sign-in' }).getByRole('columnheader');
  assert.deepEqual(await columns.allInnerTexts(), ['Day', 'Invited', 'Delivered', 'Activated', 'Signed in']);
  assert.deepEqual(await sumsOf(tab, 'From the invitation to the sign-in'), [4, 3, 2, 1]);
  await tab.page.getByRole('row', { name: 'The recipient’s server refused the address 1' }).waitFor();
  assert.deepEqual(await sumsOf(tab, 'Failed mail'), [1]);
  await tab.follow('Open the mail log');
  await tab.page.getByRole('row', { name: cid }).waitFor();
  assert.equal(await tab.page.locator('tbody tr').count(), 1);

  const { owner: other } = await world.tenant('Oak & Sons');
  const { funnel, failed_mail } = await world.asStaff('GET', '/api/v1/overview', undefined, other);
  const counts = funnel.flatMap(({ invited, delivered, activated, signed_in }) => [invited, delivered, activated, signed_in]);
  assert.deepEqual([counts.filter((count) => count > 0), failed_mail], [[], []]);
  const otherTab = await (await visitor()).openConsole(other);
  for (const text of ['No person is invited yet.', 'No mail has failed in this time.']) await otherTab.sees(text);
});
