import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { PageTitle } from '../kit/page-title.tsx';

/** The sign-in page of staff users. */
export default function SignInPage() {
  const { signIn } = useTexts('console');
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{signIn.title}</PageTitle>
      </Card>
    </EntryFrame>
  );
}
