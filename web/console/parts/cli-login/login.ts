// The login of the command line: what its program has written into the address of the approval page.
import type { TokenScope } from '@portico/client';
import { SCOPES } from '../staff/roles.ts';

/** What a program asks for. Anyone can have written it: a link in a mail opens the page just as the program does. */
export interface CliLogin {
  /** The port of this computer on which the program listens. */
  port: number;
  /** A random text by which the program recognises the answer. */
  state: string;
  /** The hash of the program's secret (RFC 7636, `S256`). */
  code_challenge: string;
  /** The name of the token, which the program has chosen. */
  name: string;
  scopes: TokenScope[];
}

/** For how many days the token is valid. */
export const CLI_TOKEN_DAYS = 90;

const MIN_PORT = 1024;
const MAX_PORT = 65_535;
const MAX_NAME_LENGTH = 100;

/** Returns the login in the query of the page, or `undefined` if a parameter is missing, repeated or not valid. */
export function readCliLogin(query: URLSearchParams): CliLogin | undefined {
  const port = single(query, 'port', /^[1-9]\d{3,4}$/);
  const state = single(query, 'state', /^[A-Za-z0-9_-]{16,128}$/);
  const code_challenge = single(query, 'code_challenge', /^[A-Za-z0-9_-]{43}$/);
  // Format characters could turn the name around, or hide what it says.
  const name = single(query, 'name', /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}][^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
  const scopes = readScopes(single(query, 'scopes', /./));
  if (!port || !state || !code_challenge || !name || !scopes) return undefined;
  if (Number(port) < MIN_PORT || Number(port) > MAX_PORT || [...name].length > MAX_NAME_LENGTH) return undefined;
  return { port: Number(port), state, code_challenge, name, scopes };
}

function single(query: URLSearchParams, name: string, format: RegExp): string | undefined {
  const [value, ...others] = query.getAll(name);
  return value !== undefined && others.length === 0 && format.test(value) ? value : undefined;
}

function readScopes(list: string | undefined): TokenScope[] | undefined {
  const names = new Set(list?.split(','));
  const scopes = SCOPES.filter((scope) => names.has(scope));
  return scopes.length > 0 && scopes.length === names.size ? scopes : undefined;
}

/** Returns the address that tells the program that its login was denied (RFC 6749, section 4.1.2.1). */
export const denialOf = ({ port, state }: CliLogin): string => `http://127.0.0.1:${port}/callback?error=access_denied&state=${state}`;

/** Whether an address is one of the program: of the literal 127.0.0.1, at its port. */
export const isOfProgram = (address: string, { port }: CliLogin): boolean =>
  address.startsWith(`http://127.0.0.1:${port}/`);
