// People, clients and links of the demo company for the further states of the pages: dead links, a client that is
// archived, staff of other roles, and a tenant that is new.
import { PASSWORD } from './world.mjs';

/** Creates them, and returns what the pages of the states need. */
export async function createStates(world, demo) {
  const { slug, owner } = demo;
  const acme = { id: demo.client };
  const { owner: founder } = await world.tenant('Fresh Start Consulting');
  const staffOf = (role, name) => world.staff(role, { tenant: slug, name });
  const clientWith = async (name, status, person) => {
    const client = await world.client(name, owner);
    const email = await world.person({ client, staff: owner, ...person });
    await world.asStaff('PATCH', `/api/v1/clients/${client.id}`, { status }, owner);
    return { id: client.id, email };
  };
  const debtor = await clientWith('Late Payers plc', 'past_due', { name: 'Dora Debtor' });
  const archived = await clientWith('Closed Ltd', 'archived', { name: 'Carl Closed' });
  return {
    ...demo,
    founder,
    viewer: await staffOf('viewer', 'Vera Viewer'),
    support: await staffOf('support', 'Sam Support'),
    member: await world.person({ client: acme, staff: owner, name: 'Mia Member', role: 'member' }),
    debtor: debtor.email,
    archived: archived.id,
    suspended: { email: archived.email, password: PASSWORD },
    failed: await failedMails(world, { client: acme, staff: owner }),
    dead: await deadLinks(world),
  };
}

/** Invites two people, whose mails fail. Returns the address of the one whose mail may have arrived. */
async function failedMails(world, invitation) {
  const fail = async (reason) => {
    const email = await world.invite({ ...invitation, name: 'Fay Failed' });
    await world.failMail(email, reason);
    return email;
  };
  await fail('gave_up');
  return fail('outcome_unknown');
}

/**
 * Returns links that cannot be used: those of a page under its name, each under the reason. They are of clients of other
 * tenants, so that the lists of the company stay as they are.
 */
async function deadLinks(world) {
  const [activate, reset, accept, notMe] = await Promise.all([activations(world), resets(world), acceptances(world), usedReport(world)]);
  return { activate, 'reset-password': reset, 'accept-invitation': accept, 'not-me': { used: notMe } };
}

async function activations(world) {
  const link = async () => {
    const email = await world.invite();
    return { email, ...(await world.link(email, 'activate')) };
  };
  const [used, expired, cancelled] = [await link(), await link(), await link()];
  await world.activate(used.token);
  await world.expire(expired.email, 'activation');
  await world.cancelInvitation(cancelled.email);
  return { used: used.url, expired: expired.url, cancelled: cancelled.url };
}

async function resets(world) {
  const [email, late] = [await world.person(), await world.person()];
  const [cancelled, used, expired] = [await world.resetLink(email), await world.resetLink(email), await world.resetLink(late)];
  await world.call('POST', '/api/portal/auth/reset-password', { body: { token: used.token, password: PASSWORD } });
  await world.expire(late, 'reset');
  return { used: used.url, expired: expired.url, cancelled: cancelled.url };
}

async function acceptances(world) {
  const { owner: staff } = await world.tenant();
  const client = await world.client('Harbour Office', staff);
  const [ann, ben] = [await world.person({ client, staff }), await world.person({ client, staff })];
  const link = async (email) => world.link(await world.invite({ email }), 'accept-invitation');
  const [used, cancelled] = [await link(ann), await link(ben)];
  await world.call('POST', '/api/portal/auth/sign-in', { body: { email: ann, password: PASSWORD, invitation: used.token } });
  await world.cancelInvitation(ben);
  return { used: used.url, cancelled: cancelled.url };
}

/** Returns the link by which a sign-in was reported. */
async function usedReport(world) {
  const email = await world.person();
  await world.call('POST', '/api/portal/auth/sign-in', { body: { email, password: PASSWORD } });
  const { url, token } = await world.link(email, 'not-me');
  await world.call('POST', '/api/portal/auth/not-me', { body: { token } });
  return url;
}
