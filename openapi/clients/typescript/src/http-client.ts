// The generated HTTP client under names that cannot be mistaken for the clients of a tenant.
export { client as httpClient } from './generated/client.gen.js';
export {
  createClient as createHttpClient,
  createConfig as createHttpConfig,
  type Client as HttpClient,
  type Config as HttpConfig,
} from './generated/client/index.js';
