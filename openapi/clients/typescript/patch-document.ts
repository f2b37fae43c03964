// Changes of the OpenAPI document that only this client needs. The generator applies them in memory.

/** The parts of an OpenAPI document that the functions of this file read or change. */
export interface Document {
  components?: { schemas?: Record<string, unknown>; securitySchemes?: Record<string, unknown> };
  paths?: Record<string, Record<string, unknown>>;
}
type Operation = { responses: Record<string, unknown>; security?: Record<string, unknown>[] };
type ObjectSchema = { properties: Record<string, unknown> };

/** The schema of a property that is always absent. The generator makes `never` of it. */
const ABSENT = { enum: [] };

/**
 * Gives every problem the optional properties `errors` and `retry_after`, typed `never` where a problem does not have
 * them. So a program can read them without knowing which problem it has.
 */
export function unifyProblems(document: Document): void {
  for (const { properties } of objectsIn(document).filter(isProblem)) {
    properties.errors ??= { ...ABSENT, description: 'Always absent. Only the problem `validation_failed` has it.' };
    properties.retry_after ??= { ...ABSENT, description: 'Always absent. Only problems of 429 and 503 have it.' };
  }
}

/** Adds `NetworkError` to the errors of every operation. `src/network-error.ts` creates it. */
export function addNetworkErrors(document: Document): void {
  document.components!.schemas!.NetworkError = {
    title: 'NetworkError',
    description:
      'Why a call has no response of Portico: `fetch` failed, the call was aborted or timed out, or another server, ' +
      'for example a proxy, responded. It is an instance of `Error`.',
    type: 'object',
    required: ['code', 'detail', 'cause'],
    properties: {
      code: { type: 'string', enum: ['network_error'], description: 'No problem of Portico has this code.' },
      detail: { type: 'string', description: 'What went wrong this time.' },
      cause: { description: 'What `fetch` threw, or the text of a response that is not from Portico.' },
      errors: { ...ABSENT, description: 'Always absent.' },
      retry_after: { ...ABSENT, description: 'Always absent.' },
    },
  };
  const response = {
    description: 'There is no response of Portico.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/NetworkError' } } },
  };
  for (const operation of operationsOf(document)) operation.responses.default = response;
}

/**
 * Removes the cookies from the credentials of every operation. A browser sends the cookies by itself, so the option
 * `auth` is for bearer tokens only.
 */
export function leaveCookiesToBrowser(document: Document): void {
  const schemes = document.components!.securitySchemes as Record<string, { in?: string }>;
  const isCookie = (name: string) => schemes[name]?.in === 'cookie';
  for (const operation of operationsOf(document)) {
    operation.security = operation.security?.filter((needs) => !Object.keys(needs).some(isCookie));
  }
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

function operationsOf(document: Document): Operation[] {
  return Object.values(document.paths ?? {}).flatMap((path) =>
    METHODS.filter((method) => method in path).map((method) => path[method] as Operation),
  );
}

/** Returns every object in a JSON value, itself included. */
function objectsIn(value: unknown): object[] {
  return typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

function isProblem(schema: object): schema is ObjectSchema {
  const properties: unknown = 'properties' in schema && schema.properties;
  return typeof properties === 'object' && properties !== null && 'request_id' in properties && 'code' in properties;
}
