import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { PageTitle } from '../kit/page-title.tsx';

/** The page after a sign-out. */
export default function SignedOutPage() {
  const { signedOut } = useTexts('entry');
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{signedOut.title}</PageTitle>
        <p>{signedOut.body}</p>
        <div class="p-actions">
          <LinkButton href="/portal/sign-in">{signedOut.signIn}</LinkButton>
        </div>
      </Card>
    </EntryFrame>
  );
}
