// A company with clients and people, as screenshots and layout checks show it. Names are as real ones: long, accented,
// from right to left.
import { PASSWORD } from './world.mjs';

const COMPANY = 'Northern Lights Logistics';
const CLIENTS = [
  ['Acme Ltd', 'C-1001'],
  ['Baltic Freight OÜ', 'C-1002'],
  ['Casa Verde S.L.', 'C-1003'],
  ['Dupont & Fils', 'C-1004'],
  ['Müller Maschinenbau GmbH', 'C-1005'],
  ['Donaudampfschifffahrtsgesellschaft für internationale Binnenschifffahrt mbH & Co. KG', 'C-1006'],
  ['شركة النقل البحري', 'C-1007'],
];
const STAFF = [
  ['admin', 'Marco Rossi'],
  ['support', 'Sofia Lind'],
  ['viewer', 'Jens Weber'],
];
/** The people of the first client: name, role, and whether the account is active. */
const PEOPLE = [
  ['Ben Carter', 'member', true],
  ['Chloé Dubois', 'admin', true],
  ['Dmytro Kovalenko', 'member', false],
  ['Elena García Márquez', 'member', false],
  ['فاطمة الزهراء', 'member', false],
];

/** Creates the company. Returns the addresses of its owner and of a person of two clients, and links of each purpose. */
export async function createDemo(world) {
  const { slug, owner } = await world.tenant(COMPANY, 'Olivia Hart');
  const address = (name) => `${name.toLowerCase().normalize('NFD').replaceAll(/[^a-z ]/g, '').trim().replaceAll(' ', '.') || 'fatima'}@acme.test`;
  for (const [role, name] of STAFF) await world.staff(role, { tenant: slug, email: address(name).replace('acme', 'lights'), name });
  const clients = [];
  for (const [name, external_ref] of CLIENTS) {
    clients.push(await world.asStaff('POST', '/api/v1/clients', { name, external_ref }, owner));
  }
  const [acme, second] = clients;
  const brand = { colors: { accent: '#0f6b62', accent_dark: '#6fd6c8' }, support: { email: 'help@lights.test', phone: '+44 20 7946 0000' } };
  await world.asStaff('PATCH', '/api/v1/branding', brand, owner);

  const person = await world.person({ client: acme, staff: owner, email: 'ann.archer@acme.test', name: 'Ann Archer', role: 'admin' });
  await world.invite({ client: second, staff: owner, email: person, name: 'Ann Archer' });
  const links = {};
  for (const [name, role, isActive] of PEOPLE) {
    const email = await world.invite({ client: acme, staff: owner, email: address(name), name, role });
    const link = await world.link(email, 'activate');
    if (isActive) await world.activate(link.token);
    else links.activate = link.url;
  }
  links.reset = (await world.resetLink(person)).url;
  await world.call('POST', '/api/portal/auth/sign-in', { body: { email: person, password: PASSWORD } });
  links.notMe = (await world.link(person, 'not-me')).url;
  const { owner: other } = await world.tenant('Blue Harbour');
  await world.invite({ client: await world.client('Harbour Office', other), staff: other, email: person });
  links.accept = (await world.link(person, 'accept-invitation')).url;
  for (const name of ['CRM import', 'Nightly export']) await world.asStaff('POST', '/api/v1/service-accounts', { name, role: 'support' }, owner);
  const token = { name: 'Report on the build server', scopes: ['clients:read', 'emails:read'], expires_in_days: 90 };
  await world.asStaff('POST', '/api/staff/tokens', token, owner);
  return { slug, owner, person, links, client: acme.id };
}
