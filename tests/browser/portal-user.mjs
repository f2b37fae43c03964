// Creates a portal user through the API.
import * as portico from '../../openapi/clients/typescript/dist/index.js';
import { mailed } from '../../openapi/clients/typescript/test/server.mjs';

const STAFF = 'owner@demo.test';

/** Returns the data of a call that must succeed. */
const done = async (call) => (await call).data;

/** Invites a portal user and activates the account. */
export async function createPortalUser(baseUrl, { email, name, password }) {
  const client = portico.createHttpClient({ baseUrl, throwOnError: true });
  const { flow } = await done(portico.sendCode({ client, body: { email: STAFF } }));
  const code = await mailed(baseUrl, STAFF, (mail) => mail.code);
  const { access_token: auth } = await done(portico.verifyCode({ client, body: { flow, code } }));
  const [{ id: client_id }] = (await done(portico.listClients({ client, auth }))).data;
  await portico.invitePortalUser({ client, auth, path: { client_id }, body: { email, name } });

  const token = await mailed(baseUrl, email, ({ links }) =>
    links.map((link) => link.split('#token=')[1]).find(Boolean),
  );
  await portico.activateAccount({ client, body: { token, password } });
}
