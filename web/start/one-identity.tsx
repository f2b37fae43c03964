import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { announceIdentity, type Identity } from '../app/identity.ts';
import type { Realm } from '../app/navigation.ts';
import { isSameIdentity, useIdentityOfOtherTabs } from '../app/other-tabs.ts';
import { useTexts } from '../app/texts.ts';
import { Notice } from '../kit/notice.tsx';

interface OneIdentityProps {
  realm: Realm;
  /** Who is signed in, by the latest answer of the server. */
  current: Identity;
  /** Says that the same user now acts for another client. */
  clientChanged?: string;
  children: ComponentChildren;
}

/** Shows the pages as long as the same user acts for the same client. Otherwise it reloads the page. */
export function OneIdentity({ realm, current, clientChanged, children }: OneIdentityProps) {
  const { signedInElsewhere } = useTexts('signedIn');
  const own = useRef(current).current;
  const [other, setOther] = useState<Identity>();
  const now = other ?? current;
  const isSame = isSameIdentity(own, now);
  useIdentityOfOtherTabs(realm, own, setOther);
  useEffect(() => announceIdentity(realm, own), []);
  useEffect(() => {
    if (!isSame) location.reload();
  }, [isSame]);

  if (isSame) return <>{children}</>;
  const isSameUser = own.userId === now.userId;
  return <Notice>{(isSameUser && clientChanged) || signedInElsewhere}</Notice>;
}
