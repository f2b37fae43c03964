import { eventually } from '../support/eventually.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** How many invitations the server returns at once. */
const PAGE = 25;

story('an administrator sees all invitations, also those of the second page', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const admin = await world.person({ client, role: 'admin' });
  const invited = [];
  for (let count = 0; count <= PAGE; count += 1) invited.push(await world.invite({ client, email: world.address(`ben${count}`) }));
  const tab = await (await visitor()).openSignedIn(admin, '/portal/colleagues');
  const invitations = tab.page.getByRole('table', { name: 'Invitations' });
  await invitations.getByRole('row').nth(PAGE).waitFor();
  await tab.page.getByRole('region', { name: 'Invitations' }).getByRole('button', { name: 'Show more' }).click();
  for (const email of invited) await invitations.getByText(email).waitFor();
});

story('an error of the expired invitations is shown, and can be tried again', async ({ world, visitor }) => {
  const ann = await visitor();
  const isExpired = (url) => url.pathname.endsWith('/invitations') && url.searchParams.get('status') === 'expired';
  const problem = { type: 'about:blank', title: 'An error', status: 500, code: 'internal', request_id: 'req-1' };
  ann.expect(/^Failed to load resource/);
  await ann.context.route(isExpired, (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: problem }));
  const tab = await ann.openSignedIn(await world.person({ role: 'admin' }), '/portal/colleagues');
  await tab.sees('An error occurred. Try again later.');
  await ann.context.unroute(isExpired);
  await tab.press('Try again');
  await tab.sees('No invitation is pending.');
});

story('an administrator invites a colleague, sends the mail again, and cancels', async ({ world, visitor }) => {
  const email = world.address('ben');
  const tab = await (await visitor()).openSignedIn(await world.person({ role: 'admin' }), '/portal/colleagues');
  await tab.press('Invite a colleague');
  await tab.send({ 'Email address': email, 'Name (optional)': 'Ben Other' }, 'Send the invitation');
  await tab.sees(`The invitation to ${email} is on its way.`);
  const first = await world.link(email, 'activate');
  await tab.press('Invite a colleague');
  await tab.send({ 'Email address': email }, 'Send the invitation');
  await tab.sees('This person already has access, or is invited already.');
  await tab.page.keyboard.press('Escape');

  await tab.press(`Resend the invitation to ${email}`);
  await tab.sees(`Another mail to ${email} is on its way.`);
  const second = await world.link(email, 'activate');
  const ben = await (await visitor()).open(first.url);
  await ben.shows('This link is no longer valid');
  await ben.open(second.url);
  await ben.shows('Activate your account');

  await tab.press(`Cancel the invitation to ${email}`);
  await tab.confirm('Cancel invitation');
  await tab.sees(`The invitation to ${email} is cancelled.`);
  await tab.sees('No invitation is pending.');
  await ben.send({ 'New password': PASSWORD }, 'Activate the account');
  await ben.shows('This link is no longer valid');
});

story('what an administrator changes of a colleague takes effect at once', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const [admin, email] = [await world.person({ client, role: 'admin' }), await world.person({ client, name: 'Ben Other' })];
  const tab = await (await visitor()).openSignedIn(admin, '/portal/colleagues');
  const ben = await (await visitor()).openSignedIn(email);
  await ben.shows('Welcome, Ben Other');
  const act = async (item, sentence) => {
    await tab.act('Ben Other', item);
    await tab.confirm(item);
    await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
    await tab.sees(sentence);
    await ben.page.reload();
  };
  await act('Make administrator', 'The role of Ben Other is changed.');
  await ben.follow('Colleagues');
  await ben.shows('Colleagues');
  await act('Make member', 'The role of Ben Other is changed.');
  await ben.sees('You may not see this page');
  await act('Disable access', 'The access of Ben Other is disabled.');
  await ben.shows('Sign in');
  await ben.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await ben.sees('The email address or the password is not correct.');
  await act('Enable access', 'The access of Ben Other is enabled again.');
  await ben.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await ben.sees('You may not see this page');
  await act('Remove', 'Ben Other is removed.');
  await ben.shows('Sign in');
  await eventually('Ben Other leaves the list', async () => (await tab.page.getByRole('cell', { name: /Ben Other/ }).count()) === 0);
});

story('two administrators demote each other at the same time, and one of them stays', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const people = [];
  for (const name of ['Ann Archer', 'Ben Other']) people.push(await world.person({ client, name, role: 'admin' }));
  const [ann, ben] = await Promise.all(people.map(async (email) => (await visitor()).openSignedIn(email, '/portal/colleagues')));
  await ann.act('Ben Other', 'Make member');
  await ben.act('Ann Archer', 'Make member');
  await Promise.all([ann.confirm('Make member'), ben.confirm('Make member')]);
  const refused = /at least one active administrator|You may not do this/;
  const countOf = async (find) => (await Promise.all([ann, ben].map(({ page }) => find(page).count()))).reduce((sum, count) => sum + count);
  await eventually('one of them is refused', async () => (await countOf((page) => page.getByText(refused))) === 1);
  await Promise.all([ann.page.reload(), ben.page.reload()]);
  await eventually('one of them loses the page', async () => (await countOf((page) => page.getByText('You may not see this page'))) === 1);
  await eventually('the other one keeps it', async () => (await countOf((page) => page.getByText('Invite a colleague'))) === 1);
});

story('the last administrator cannot be changed, and the page says why', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  await world.person({ client, name: 'Ben Other', role: 'admin' });
  const ann = await visitor();
  const problem = { type: 'urn:portico:last_admin', title: 'Last administrator', status: 409, code: 'last_admin', request_id: 'req-1' };
  // Only two changes at the same time lead to this answer.
  const answer = { status: 409, contentType: 'application/problem+json', json: problem };
  await ann.context.route('**/api/portal/colleagues/*', (route) => route.fulfill(answer));
  const tab = await ann.openSignedIn(await world.person({ client, role: 'admin' }), '/portal/colleagues');
  for (const item of ['Make member', 'Disable access', 'Remove']) {
    await tab.act('Ben Other', item);
    await tab.confirm(item);
    await tab.sees('This client needs at least one active administrator. Make another person administrator first.');
    await tab.confirm('Cancel');
  }
});
