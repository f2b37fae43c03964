import { afterSignIn, type Realm } from '../app/navigation.ts';
import { useLateTexts } from '../app/texts.ts';
import { LinkButton } from './link-button.tsx';
import { Notice } from './notice.tsx';

/** Says that the session still lives, with a link to where a sign-in would lead. */
export function ContinueAs({ realm, name }: { realm: Realm; name: string }) {
  const texts = useLateTexts('signedIn');
  if (typeof texts === 'string') return null;
  return (
    <Notice>
      <p>{texts.stillSignedIn}</p>
      <LinkButton kind="secondary" href={afterSignIn(realm).href}>
        {texts.continueAs(name)}
      </LinkButton>
    </Notice>
  );
}
