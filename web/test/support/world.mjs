// A deployment with people: what the stories prepare through the API and read from the mailboxes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Authenticator } from './authenticator.mjs';
import { DEMO } from './deployments.mjs';
import { eventually } from './eventually.mjs';

/** The password of each person, unless a story gives another one. */
export const PASSWORD = 'quartz-lantern-41';

/** The browser that calls of the API without a page name. Lists of sessions show it. */
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';

export class World {
  #seen = new Set();
  #networks = 0;
  #staff = new Map();

  constructor(deployment) {
    this.deployment = deployment;
    this.origin = deployment.origin;
  }

  /** Returns an address that no other story uses. */
  address = (name) => `${name}.${randomUUID().slice(0, 8)}@guest.test`;

  /** Returns the address of a network that no other browser uses, because most rate limits count per network. */
  network = () => `10.7.${Math.floor(++this.#networks / 250)}.${(this.#networks % 250) + 1}`;

  /** Calls an operation. Returns the status and the body. */
  async call(method, path, { body, token } = {}) {
    const response = await fetch(this.origin + path, {
      method,
      headers: {
        'user-agent': PHONE,
        'x-forwarded-for': this.network(),
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, data: text ? JSON.parse(text) : undefined };
  }

  /** Calls an operation that must succeed, as staff. Returns the body. */
  async asStaff(method, path, body, email = DEMO.owner) {
    const { status, data } = await this.call(method, path, { body, token: await this.staffToken(email) });
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(data)}`);
    return data;
  }

  /** Returns an access token of a staff user. It is kept for further calls. */
  staffToken(email = DEMO.owner) {
    if (!this.#staff.has(email)) this.#staff.set(email, this.#signInStaff(email));
    return this.#staff.get(email);
  }

  async #signInStaff(email) {
    const { data: sent } = await this.call('POST', '/api/staff/auth/send-code', { body: { email } });
    const code = await this.code(email);
    const { data } = await this.call('POST', '/api/staff/auth/verify-code', { body: { flow: sent.flow, code } });
    return data.access_token;
  }

  /** Creates a tenant with an owner. Returns the slug and the address of the owner. */
  async tenant(name = 'Blue Harbour', ownerName = 'Olivia Hart', slug = `t-${randomUUID().slice(0, 8)}`) {
    const owner = `owner@${slug}.test`;
    await this.deployment.run('tenant', 'add', '--slug', slug, '--name', name);
    await this.staff('owner', { tenant: slug, email: owner, name: ownerName });
    return { slug, owner };
  }

  /** Creates a staff user with a role. Returns the address. */
  async staff(role, { tenant = DEMO.tenant, email = this.address(role), name } = {}) {
    const named = name ? ['--name', name] : [];
    await this.deployment.run('staff', 'add', '--tenant', tenant, '--email', email, '--role', role, ...named);
    return email;
  }

  /** Creates a client. Returns it. */
  client = (name = 'Acme Ltd', staff) => this.asStaff('POST', '/api/v1/clients', { name }, staff);

  /** Invites someone to a client. Returns the address. */
  async invite({ client, email = this.address('ann'), staff, ...fields } = {}) {
    const { id } = client ?? (await this.client());
    await this.asStaff('POST', `/api/v1/clients/${id}/portal-user`, { email, name: 'Ann Archer', ...fields }, staff);
    return email;
  }

  /** Invites a person of the demo tenant to a client of another tenant. Returns the address, and the owner of that tenant. */
  async inviteElsewhere() {
    const email = await this.person();
    const { owner: staff } = await this.tenant();
    await this.invite({ client: await this.client('Harbour Office', staff), email, staff });
    return { email, staff };
  }

  /** Creates a portal user with the usual password. Returns the address. */
  async person(invitation = {}) {
    const email = await this.invite(invitation);
    const { token } = await this.link(email, 'activate');
    await this.activate(token);
    return email;
  }

  /** Returns the code of a mail to this address, of which no code was returned yet. */
  code = (to) => this.#next(to, 'a code', (mail) => mail.code);

  /** Returns the next link to a page in a mail to this address: its URL and its token. */
  async link(to, page) {
    const url = await this.#next(to, `a link to ${page}`, ({ links }) => links.find((link) => link.includes(`/portal/${page}#token=`)));
    return { url, token: url.split('#token=')[1] };
  }

  /**
   * Lets the links of a purpose to this address expire, now or at another time, and the invitation if it is one of an
   * invitation.
   */
  async expire(email, purpose, time) {
    const links = `UPDATE link_tokens SET expires_at = ${time ? `'${time}'` : 'created_at'} WHERE purpose = '${purpose}'`;
    const invitation = `invitation_id IN (SELECT id FROM invitations WHERE email = '${email}')`;
    const person = `portal_user_id IN (SELECT id FROM portal_users WHERE email = '${email}')`;
    await this.deployment.sql(`${links} AND (${invitation} OR ${person})`);
    await this.deployment.sql(`UPDATE invitations SET expires_at = created_at WHERE email = '${email}' AND status = 'pending'`);
  }

  /** Lets the sessions of a staff user be older than the time for which they count as fresh. */
  makeStale = (email) =>
    this.deployment.sql(
      `UPDATE sessions SET auth_time = '2020-01-01T00:00:00.123456+00:00' WHERE staff_user_id IN (SELECT id FROM staff_users WHERE email = '${email}')`,
    );

  /** Lets the sessions of a portal user be older than the time for which they count as fresh. */
  makePersonStale = (email) =>
    this.deployment.sql(
      `UPDATE sessions SET auth_time = '2020-01-01T00:00:00.123456+00:00' WHERE portal_user_id IN (SELECT id FROM portal_users WHERE email = '${email}')`,
    );

  /** Sets the sign-in policy of a tenant. What it does not name is as by default. */
  setPolicy = (slug, policy) => this.deployment.sql(`UPDATE tenants SET sign_in_policy = '${JSON.stringify(policy)}' WHERE slug = '${slug}'`);

  /** Turns second factors of a portal user on. Returns the authenticator app and the recovery codes. */
  async addFactor(email) {
    const { data } = await this.call('POST', '/api/portal/auth/sign-in', { body: { email, password: PASSWORD } });
    return this.#enable('/api/portal/auth/mfa', data.access_token);
  }

  /** Turns second factors of a staff user on. Returns the authenticator app and the recovery codes. */
  async addStaffFactor(email) {
    return this.#enable('/api/staff/auth/mfa', await this.#signInStaff(email));
  }

  async #enable(path, token) {
    const { data: setup } = await this.call('POST', `${path}/setup`, { token });
    const app = new Authenticator(setup.secret);
    const { data, status } = await this.call('POST', `${path}/enable`, { token, body: { code: await app.code() } });
    assert.equal(status, 200, JSON.stringify(data));
    return { app, codes: data.recovery_codes };
  }

  /** Waits until each mail to this address has a status of the mail log, such as `suppressed`. */
  awaitMail = (email, status) =>
    eventually(`each mail to ${email} is ${status}`, async () => {
      const { stdout } = await this.deployment.sql(`SELECT status FROM emails WHERE recipient = '${email}'`);
      return stdout.trim().split('\n').every((each) => each === status);
    });

  /** Waits until the mails to this address are sent, then records them as failed, for a reason of the mail log. */
  async failMail(email, reason) {
    await this.awaitMail(email, 'sent');
    const failed = `status = 'failed', reason = '${reason}', sent_at = NULL`;
    await this.deployment.sql(`UPDATE emails SET ${failed} WHERE recipient = '${email}'`);
  }

  /** Cancels the pending invitation of this address. */
  async cancelInvitation(email, staff) {
    const { client, id } = await this.#pendingInvitation(email, staff);
    await this.asStaff('DELETE', `/api/v1/clients/${client.id}/invitations/${id}`, undefined, staff);
  }

  /** Sends the pending invitation of this address again. Older links die. */
  async resendInvitation(email, staff) {
    const { client, id } = await this.#pendingInvitation(email, staff);
    await this.asStaff('POST', `/api/v1/clients/${client.id}/invitations/${id}/resend`, undefined, staff);
  }

  async #pendingInvitation(email, staff) {
    const { data } = await this.asStaff('GET', `/api/v1/invitations?status=pending&q=${email}`, undefined, staff);
    return data[0];
  }

  /** Activates an account with the usual password, or another one. */
  async activate(token, password = PASSWORD) {
    const { status, data } = await this.call('POST', '/api/portal/auth/activate', { body: { token, password } });
    assert.equal(status, 200, JSON.stringify(data));
  }

  /** Requests a link that sets a new password, and returns it. */
  async resetLink(email) {
    await this.call('POST', '/api/portal/auth/forgot-password', { body: { email } });
    return this.link(email, 'reset-password');
  }

  /** Returns the mails to this address, the newest first. */
  mails = (to) => this.deployment.mails(to);

  /** Returns the mails to this address with a link to a page, the newest first. */
  mailsWithLink = async (to, page) => (await this.mails(to)).filter(({ links }) => links.some((link) => link.includes(`/portal/${page}#`)));

  /** Returns the newest mail to this address with a link to a page. */
  mailWithLink = async (to, page) => (await this.mailsWithLink(to, page))[0];

  /** Waits for a mail that was not returned for the same purpose yet. */
  #next = (to, what, pick) =>
    eventually(`mail with ${what} to ${to}`, async () => {
      for (const mail of (await this.deployment.mails(to)).reverse()) {
        const found = pick(mail);
        const key = `${to} ${what} ${mail.message_id}`;
        if (!found || this.#seen.has(key)) continue;
        this.#seen.add(key);
        return found;
      }
    });
}
