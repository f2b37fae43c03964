// A company with clients, people and a logo, as screenshots and layout checks show it. Names are as real ones: long,
// accented, from right to left.
import { readFileSync } from 'node:fs';
import { PASSWORD } from './world.mjs';

const LOGO = readFileSync(new URL('logo.svg', import.meta.url), 'utf8');
const COMPANY = { slug: 'northern-lights', name: 'Northern Lights Logistics', ownerName: 'Olivia Hart' };
const CLIENTS = [
  ['Acme Ltd', 'C-1001'],
  ['Baltic Freight OÜ', 'C-1002'],
  ['Casa Verde S.L.', 'C-1003', 'past_due'],
  ['Dupont & Fils', 'C-1004'],
  ['Müller Maschinenbau GmbH', 'C-1005'],
  ['Donaudampfschifffahrtsgesellschaft für internationale Binnenschifffahrt mbH & Co. KG', 'C-1006'],
  ['شركة النقل البحري', 'C-1007', 'archived'],
];
const STAFF = [
  ['admin', 'Marco Rossi'],
  ['support', 'Sofia Lind'],
  ['viewer', 'Jens Weber'],
];
/** The people of the first client: name, address, role, and whether the account is active. */
const PEOPLE = [
  ['Ben Carter', 'ben.carter', 'member', true],
  ['Chloé Dubois', 'chloe.dubois', 'admin', true],
  ['Dmytro Kovalenko', 'dmytro.kovalenko', 'member', false],
  ['Elena García Márquez', 'elena.garcia', 'member', false],
  ['فاطمة الزهراء', 'fatima', 'member', false],
];
/** The person whose mail has failed. */
const UNREACHABLE = 'dmytro.kovalenko@acme.test';
const BRAND = {
  colors: { accent: '#0f6b62', accent_dark: '#6fd6c8' },
  support: { email: 'help@lights.test', phone: '+44 20 7946 0000' },
};

/**
 * Creates the company. `browser` draws the logo. Returns the addresses of its owner and of a person of two clients, and
 * links of each purpose.
 */
export async function createDemo(world, browser) {
  const { slug, owner } = await world.tenant(COMPANY.name, COMPANY.ownerName, COMPANY.slug);
  for (const [role, name] of STAFF) {
    await world.staff(role, { tenant: slug, email: `${name.toLowerCase().replace(' ', '.')}@lights.test`, name });
  }
  await world.asStaff('PATCH', '/api/v1/branding', BRAND, owner);
  await setLogo(world, owner, await draw(browser, LOGO));
  const [acme, second] = await createClients(world, owner);
  const person = await world.person({ client: acme, staff: owner, email: 'ann.archer@acme.test', name: 'Ann Archer', role: 'admin' });
  await world.invite({ client: second, staff: owner, email: person, name: 'Ann Archer' });
  const links = await createPeople(world, owner, acme);
  links.reset = (await world.resetLink(person)).url;
  await world.call('POST', '/api/portal/auth/sign-in', { body: { email: person, password: PASSWORD } });
  links.notMe = (await world.link(person, 'not-me')).url;
  const { owner: other } = await world.tenant('Blue Harbour', 'Bo Lund', 'blue-harbour');
  await world.invite({ client: await world.client('Harbour Office', other), staff: other, email: person });
  links.accept = (await world.link(person, 'accept-invitation')).url;
  await createTokens(world, owner);
  return { slug, owner, person, links, client: acme.id };
}

async function createClients(world, owner) {
  const clients = [];
  for (const [name, external_ref, status] of CLIENTS) {
    const client = await world.asStaff('POST', '/api/v1/clients', { name, external_ref }, owner);
    if (status) await world.asStaff('PATCH', `/api/v1/clients/${client.id}`, { status }, owner);
    clients.push(client);
  }
  return clients;
}

/** Invites the people, and lets some of them activate. Returns a link that activates an account. */
async function createPeople(world, owner, client) {
  let activate;
  for (const [name, mailbox, role, isActive] of PEOPLE) {
    const email = await world.invite({ client, staff: owner, email: `${mailbox}@acme.test`, name, role });
    const link = await world.link(email, 'activate');
    if (isActive) await world.activate(link.token);
    else activate = link.url;
  }
  await world.failMail(UNREACHABLE, 'recipient_refused');
  return { activate };
}

async function createTokens(world, owner) {
  const account = (name, role) => world.asStaff('POST', '/api/v1/service-accounts', { name, role }, owner);
  const { id } = await account('CRM import', 'support');
  await account('Nightly export', 'viewer');
  const token = (name, scopes) => ({ name, scopes, expires_in_days: 90 });
  await world.asStaff('POST', `/api/v1/service-accounts/${id}/tokens`, token('Import every night', ['clients:read', 'clients:edit']), owner);
  await world.asStaff('POST', '/api/staff/tokens', token('Report on the build server', ['clients:read', 'emails:read']), owner);
}

/** Draws an SVG file as PNG, because the API takes no SVG. */
async function draw(browser, svg) {
  const page = await browser.newPage({ deviceScaleFactor: 2 });
  await page.setContent(svg);
  const png = await page.locator('svg').screenshot({ omitBackground: true });
  await page.close();
  return png;
}

async function setLogo(world, owner, png) {
  const authorization = `Bearer ${await world.staffToken(owner)}`;
  const response = await fetch(`${world.origin}/api/v1/branding/logo`, { method: 'PUT', headers: { authorization, 'content-type': 'image/png' }, body: png });
  if (!response.ok) throw new Error(`the logo: ${response.status} ${await response.text()}`);
}
