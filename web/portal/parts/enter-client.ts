import { switchClient } from '@portico/client';
import { signedInNow } from './signed-in-now.ts';

/** Lets the session act for another client, and loads the page again, so that no data of the former client stays. */
export async function enterClient(id: string, address: string | URL) {
  const result = await switchClient({ body: { client_id: id } });
  if (result.data) {
    signedInNow(result.data);
    location.assign(address);
  }
  return result;
}
