import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const SUPPORT = 'help@pine.test';

/** A PNG image of one pixel. */
const LOGO = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A tenant with a name, a colour and a logo of its own. */
async function brandedTenant(world) {
  const { slug, owner } = await world.tenant('Pine & Partners');
  const brand = { colors: { accent: '#7a1f5c', accent_dark: '#f0a6d8' }, support: { email: SUPPORT, phone: null } };
  await world.asStaff('PATCH', '/api/v1/branding', brand, owner);
  const headers = { authorization: `Bearer ${await world.staffToken(owner)}`, 'content-type': 'image/png' };
  const { status } = await fetch(`${world.origin}/api/v1/branding/logo`, { method: 'PUT', headers, body: Buffer.from(LOGO, 'base64') });
  assert.equal(status, 200);
  return { slug, owner };
}

/** Asserts that a page has the name, the colour and the logo of the tenant, or none of them. */
async function assertBrand(tab, isBranded) {
  await tab.page.waitForFunction((expected) => {
    const accent = getComputedStyle(document.documentElement).getPropertyValue('--portico-accent');
    const isLoaded = [...document.images].some(({ alt, naturalWidth }) => alt === 'Pine & Partners' && naturalWidth > 0);
    return [document.title.endsWith('Pine & Partners'), accent.includes('#7a1f5c'), isLoaded].every((each) => each === expected);
  }, isBranded);
}

story('the brand of the company follows through activation, sign-out, reset and an unknown page', async ({ world, visitor }) => {
  const { owner: staff } = await brandedTenant(world);
  const email = await world.invite({ client: await world.client('Acme Ltd', staff), staff });
  const ann = await visitor();
  const tab = await ann.open((await world.link(email, 'activate')).url);
  await assertBrand(tab, true);
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Ann Archer');
  await tab.sees(SUPPORT);
  await assertBrand(tab, true);
  await tab.signOut();
  await tab.shows('You have signed out');
  await assertBrand(tab, true);
  for (const path of ['/portal/sign-in', '/portal/forgot-password', '/portal/nothing-here', (await world.resetLink(email)).url]) {
    await tab.open(path);
    await assertBrand(tab, true);
  }
});

story('a link with ?tenant= shows the brand, but no contact, and is not remembered', async ({ world, visitor }) => {
  const { slug } = await brandedTenant(world);
  const ann = await visitor();
  const tab = await ann.open(`/portal/sign-in?tenant=${slug}`);
  await assertBrand(tab, true);
  await tab.follow('Forgot your password?');
  await tab.shows('Forgot your password?');
  await assertBrand(tab, true);
  assert.ok(!(await tab.page.content()).includes(SUPPORT), 'the page has the contacts');
  assert.deepEqual((await ann.context.cookies()).map(({ name }) => name), []);
  await tab.open('/portal/sign-in');
  await assertBrand(tab, false);
  await tab.open('/portal/sign-in?tenant=no-such-tenant');
  await assertBrand(tab, false);
});

story('after another person has signed in, the brand of the person before is gone', async ({ world, visitor }) => {
  const { owner: staff } = await brandedTenant(world);
  const branded = await world.person({ client: await world.client('Acme Ltd', staff), staff });
  const ann = await visitor();
  const tab = await ann.openSignedIn(branded);
  await assertBrand(tab, true);
  await tab.signOut();
  await tab.shows('You have signed out');
  await tab.open('/portal/sign-in');
  await tab.send({ 'Email address': await world.person({ name: 'Ben Other' }), Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ben Other');
  await assertBrand(tab, false);
});

story('a person of two companies sees the neutral brand until the company is known', async ({ world, visitor }) => {
  const { owner: staff } = await brandedTenant(world);
  const email = await world.person({ client: await world.client('Pine Client', staff), staff });
  const { owner: other } = await world.tenant('Oak & Sons');
  await world.invite({ client: await world.client('Oak Client', other), staff: other, email });
  const ann = await visitor();
  const tab = await ann.open((await world.link(email, 'accept-invitation')).url);
  await tab.shows('Accept the invitation');
  await tab.page.waitForFunction(() => document.title.endsWith('Oak & Sons'));
  await tab.press('Sign in and accept');
  await tab.sees('Sign in to accept the invitation.');
  await tab.page.waitForFunction(() => document.title.endsWith('Client portal'));
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.sees('Oak Client');
  await tab.page.waitForFunction(() => document.title.endsWith('Oak & Sons'));
  await tab.follow(/^Choose a client/);
  await tab.press(/Pine Client/);
  await tab.sees(SUPPORT);
  await assertBrand(tab, true);
  // A forwarded mail must not tell one company of the other, and neither must its page.
  await tab.open((await world.resetLink(email)).url);
  await tab.shows('Set a new password');
  await assertBrand(tab, false);
  const { subject, text } = await world.mailWithLink(email, 'reset-password');
  assert.doesNotMatch(subject + text, /Pine|Oak/);
});
