import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const SUPPORT = 'help@pine.test';

/** A tenant with a name and a colour of its own. */
async function brandedTenant(world) {
  const { slug, owner } = await world.tenant('Pine & Partners');
  const brand = { colors: { accent: '#7a1f5c', accent_dark: '#f0a6d8' }, support: { email: SUPPORT, phone: null } };
  await world.asStaff('PATCH', '/api/v1/branding', brand, owner);
  return { slug, owner };
}

/** Asserts that a page has the name and the colour of the tenant, or neither. */
async function assertBrand(tab, isBranded) {
  await tab.page.waitForFunction((expected) => {
    const accent = getComputedStyle(document.documentElement).getPropertyValue('--portico-accent');
    return document.title.endsWith('Pine & Partners') === expected && accent.includes('#7a1f5c') === expected;
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
  await tab.misses(SUPPORT);
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
