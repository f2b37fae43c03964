import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Realm } from '../app/navigation.ts';
import { mayHaveSession } from '../app/session-mark.ts';

interface SessionOfferProps {
  realm: Realm;
  /** Loads the component that asks for the session and makes the offer. */
  load: () => Promise<{ default: ComponentType }>;
}

/**
 * The place of an offer to go on without signing in again. The page is shown before the code of the offer is loaded, and
 * a browser in which no user has signed in never loads it.
 */
export function SessionOffer({ realm, load }: SessionOfferProps) {
  const [offer, setOffer] = useState<{ default: ComponentType }>();
  useEffect(() => {
    // Without the offer, the page still is what it is for.
    if (mayHaveSession(realm)) load().then(setOffer, () => undefined);
  }, []);
  return offer ? <offer.default /> : null;
}
