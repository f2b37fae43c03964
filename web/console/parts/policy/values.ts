import type { MfaScope, SignInMethods } from '@portico/client';
import { valuesOf } from '../../../app/values.ts';

/** The ways to sign in to the portal. */
export const METHODS = valuesOf<keyof SignInMethods>({ password: true, code: true, passkey: true, sso: true });

/** The users who must have a second factor. */
export const SCOPES = valuesOf<MfaScope>({ off: true, admins: true, all: true });
