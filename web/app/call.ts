import type { PorticoError } from '@portico/client';

/** What a call of the API client resolves to. */
export interface Result<Data> {
  data?: Data | undefined;
  error?: PorticoError | undefined;
}
