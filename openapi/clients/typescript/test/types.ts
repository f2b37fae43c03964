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
  type GetSessionError,
  httpClient,
  type HttpClient,
  type HttpConfig,
  type InvalidField,
  isPorticoError,
  type NetworkError,
  type PorticoError,
  refreshOnUnauthenticated,
  resetPassword,
  type Session,
  signIn,
  type SignInError,
  type SignInErrors,
  type SignInResult,
  type UpdateClient,
  type User,
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

// The type of a problem depends on the operation and on the status. A network error has no status.
same<SignInErrors[401]['code'], 'invalid_credentials'>(true);
same<SignInErrors[422]['errors'], InvalidField[]>(true);
same<SignInErrors[429]['retry_after'], number>(true);
same<SignInErrors[503]['retry_after'], number>(true);
same<SignInErrors['default'], NetworkError>(true);

const { data, error, response } = await signIn({ body: { email: '', password: '' } });
same<typeof response, Response | undefined>(true);
if (data) same<typeof data, SignInResult>(true);
else same<typeof error, SignInError>(true);

// The status tells a session from a challenge.
if (data?.status === 'signed_in') same<typeof data, Session>(true);

// Every error has these properties.
if (error) {
  same<typeof error.detail, string>(true);
  same<typeof error.errors, InvalidField[] | undefined>(true);
  same<typeof error.retry_after, number | undefined>(true);
  error.errors?.forEach(({ pointer }) => pointer);
}

/** A `switch` over the codes of an operation. It compiles if it names every code. */
export function exhaustive(problem: GetSessionError): string {
  switch (problem.code) {
    case 'network_error':
      same<typeof problem.cause, unknown>(true);
      return problem.detail;
    case 'too_many_requests':
    case 'overloaded':
    case 'unavailable':
      same<typeof problem.retry_after, number>(true);
      return problem.request_id;
    case 'validation_failed':
      same<typeof problem.errors, InvalidField[]>(true);
      return problem.title;
    case 'unauthenticated':
    case 'session_expired':
    case 'session_revoked':
    case 'malformed_request':
    case 'request_timeout':
    case 'body_too_large':
    case 'uri_too_long':
    case 'headers_too_large':
      same<typeof problem.retry_after, undefined>(true);
      return problem.detail;
    // @ts-expect-error: no problem has this code.
    case 'too_many_request':
      return '';
    default:
      return problem satisfies never;
  }
}

/** A `switch` that lacks a code does not compile. */
export function incomplete(problem: GetSessionError): string {
  switch (problem.code) {
    case 'network_error':
      return problem.detail;
    default:
      // @ts-expect-error: codes are left.
      problem satisfies never;
      return problem.request_id;
  }
}

// A call with `throwOnError` throws the same errors.
try {
  const thrown = await signIn({ body: { email: '', password: '' }, throwOnError: true });
  same<typeof thrown.data, SignInResult>(true);
} catch (caught) {
  if (!isPorticoError(caught)) throw caught;
  same<typeof caught, PorticoError>(true);
  same<typeof caught.errors, InvalidField[] | undefined>(true);
  same<SignInError extends PorticoError ? true : false, true>(true);
  same<'network_error' | 'token_used' extends PorticoError['code'] ? true : false, true>(true);
  // @ts-expect-error: no problem has this code.
  caught.code === 'token_use';
}

refreshOnUnauthenticated(httpClient, { realm: 'portal', onSignedOut: () => undefined });
// @ts-expect-error: there is no such realm.
refreshOnUnauthenticated(httpClient, { realm: 'customer' });

// @ts-expect-error: the body lacks a required field.
await resetPassword({ body: { token: '' } });

// The clients of a tenant and the HTTP client have different names.
const otherHttpClient: HttpClient = createHttpClient(createHttpConfig({ baseUrl: 'https://accounts.example.com' }));
const config: HttpConfig = httpClient.setConfig(otherHttpClient.getConfig());
const created = await createClient({ client: otherHttpClient, baseUrl: config.baseUrl, body: { name: '' } });
if (created.data) same<typeof created.data, Client>(true);
const found = await getClient({ client: httpClient, path: { client_id: '' } });
if (found.data) same<typeof found.data, Client>(true);
