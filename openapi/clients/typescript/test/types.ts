// Tests the types that callers rely on. The test passes if this file compiles.
import {
  type CheckedLink,
  type Client,
  type ClientList,
  type ClientSummary,
  createClient,
  type CreateClient,
  createHttpClient,
  createHttpConfig,
  type CurrentSession,
  getClient,
  httpClient,
  type HttpClient,
  type HttpConfig,
  type Problem,
  resetPassword,
  type Session,
  signIn,
  type SignInErrors,
  type UpdateClient,
  type User,
  type ValidationProblem,
  type VerifyCode,
} from '@portico/client';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>) {}

// A nullable field of a response is always present. A nullable field of a request may be left out.
same<Session['client'], ClientSummary | null>(true);
same<CurrentSession['client'], ClientSummary | null>(true);
same<ClientList['next_cursor'], string | null>(true);
same<Client['external_ref'], string | null>(true);
same<CheckedLink['client_name'], string | null>(true);
same<User['locale'], string | null>(true);
same<UpdateClient['external_ref'], string | null | undefined>(true);
same<CreateClient['external_ref'], string | null | undefined>(true);

// An enum is a union of its values. A string with a format is a plain string.
same<Session['token_type'], 'Bearer'>(true);
same<Client['status'], 'active' | 'past_due' | 'archived'>(true);
same<VerifyCode['code'], string>(true);
same<Client['created_at'], string>(true);

// The type of a problem depends on the status.
same<SignInErrors[401], Problem>(true);
same<SignInErrors[422], ValidationProblem>(true);

const { data, error } = await signIn({ body: { email: '', password: '' } });
if (data) same<typeof data, Session>(true);
else if ('errors' in error) same<typeof error, ValidationProblem>(true);
else same<typeof error, Problem>(true);

// @ts-expect-error: the body lacks a required field.
await resetPassword({ body: { token: '' } });

// The clients of a tenant and the HTTP client have different names.
const otherHttpClient: HttpClient = createHttpClient(createHttpConfig({ baseUrl: 'https://accounts.example.com' }));
const config: HttpConfig = httpClient.setConfig(otherHttpClient.getConfig());
const created = await createClient({ client: otherHttpClient, baseUrl: config.baseUrl, body: { name: '' } });
if (created.data) same<typeof created.data, Client>(true);
const found = await getClient({ client: httpClient, path: { client_id: '' } });
if (found.data) same<typeof found.data, Client>(true);
