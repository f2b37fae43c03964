// What callers rely on in the types; that it compiles is the test.
import {
  type CheckedLink,
  type ClientSummary,
  type Client,
  type ClientList,
  type CreateClient,
  type CurrentSession,
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

// Null is a value; a field that may be left out is another matter.
same<Session['client'], ClientSummary | null>(true);
same<CurrentSession['client'], ClientSummary | null>(true);
same<ClientList['next_cursor'], string | null>(true);
same<Client['external_ref'], string | null>(true);
same<CheckedLink['client_name'], string | null>(true);
same<User['locale'], string | null>(true);
same<UpdateClient['external_ref'], string | null | undefined>(true);
same<CreateClient['external_ref'], string | null | undefined>(true);

// Choices are spelt out, formats are plain strings.
same<Session['token_type'], 'Bearer'>(true);
same<Client['status'], 'active' | 'past_due' | 'archived'>(true);
same<VerifyCode['code'], string>(true);
same<Client['created_at'], string>(true);

// Problems go by status.
same<SignInErrors[401], Problem>(true);
same<SignInErrors[422], ValidationProblem>(true);

const { data, error } = await signIn({ body: { email: '', password: '' } });
if (data) same<typeof data, Session>(true);
else if ('errors' in error) same<typeof error, ValidationProblem>(true);
else same<typeof error, Problem>(true);

// @ts-expect-error: a body lacks a field.
await resetPassword({ body: { token: '' } });
