// Makes every failed call end with a problem of Portico or with a `NetworkError`, as the generated types say.
import type { Client } from './generated/client/index.js';
import type { NetworkError } from './generated/types.gen.js';

class PorticoNetworkError extends Error implements NetworkError {
  override readonly name = 'NetworkError';
  readonly code = 'network_error';
  readonly detail: string;
  override readonly cause: unknown;

  constructor(detail: string, cause: unknown) {
    super(detail);
    this.detail = detail;
    this.cause = cause;
  }
}

/** Adds the interceptors that report network errors to an HTTP client, and returns the HTTP client. */
export function reportNetworkErrors(httpClient: Client): Client {
  httpClient.interceptors.response.use(rejectForeignSuccess);
  httpClient.interceptors.error.use(toPorticoError);
  return httpClient;
}

/** Throws a `NetworkError` for a successful response that is not from Portico, for example a sign-in page of a proxy. */
async function rejectForeignSuccess(response: Response): Promise<Response> {
  if (!response.ok || response.status === 204 || mediaType(response).endsWith('json')) return response;
  throw foreignResponse(response, await response.text());
}

/** Returns the error of a call: the problem that Portico sent, or a `NetworkError`. */
function toPorticoError(error: unknown, response: Response | undefined, request: Request | undefined): unknown {
  // A request that cannot be built is a mistake of the program, for example an invalid base URL.
  if (!request) throw error;
  if (error instanceof PorticoNetworkError) return error;
  if (!response) return new PorticoNetworkError(describe(error), error);
  if (response.ok) return new PorticoNetworkError('The response could not be read.', error);
  return isProblem(error) ? error : foreignResponse(response, error);
}

function describe(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : undefined;
  if (name === 'AbortError') return 'The call was aborted.';
  if (name === 'TimeoutError') return 'No response arrived in time.';
  return 'The server cannot be reached.';
}

function foreignResponse(response: Response, body: unknown): PorticoNetworkError {
  const type = mediaType(response) || 'no content type';
  return new PorticoNetworkError(`The response is not from Portico: status ${response.status}, ${type}.`, body);
}

/** Whether a value is a problem document of Portico (RFC 9457). */
export function isProblem(value: unknown): boolean {
  const { code, status, request_id } = Object(value) as Record<string, unknown>;
  return typeof code === 'string' && typeof status === 'number' && typeof request_id === 'string';
}

export function isNetworkError(value: unknown): value is NetworkError {
  return value instanceof PorticoNetworkError;
}

/** Returns the content type without its parameters. */
function mediaType(response: Response): string {
  return response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
}
