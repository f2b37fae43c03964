import { story } from '../support/story.mjs';

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
