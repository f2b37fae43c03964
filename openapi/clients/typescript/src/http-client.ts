// The generated HTTP client under names that cannot be mistaken for the clients of a tenant.
import { client } from './generated/client.gen.js';
import { createClient, type Client, type Config } from './generated/client/index.js';
import { reportNetworkErrors } from './network-error.js';

export {
  createConfig as createHttpConfig,
  type Client as HttpClient,
  type Config as HttpConfig,
} from './generated/client/index.js';

/** The HTTP client of every call that does not name another one in its option `client`. */
export const httpClient: Client = reportNetworkErrors(client);

/** Creates an HTTP client with its own configuration, for example for another user. */
export function createHttpClient(config?: Config): Client {
  return reportNetworkErrors(createClient(config));
}
