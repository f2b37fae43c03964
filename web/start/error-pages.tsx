// The pages for an unknown address and for an error of the page itself.
import { Button } from '../kit/button.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { useTexts } from '../app/texts.ts';

/** The page for an address that no page has. */
export function UnknownPage({ home }: { home: string }) {
  const { pageNotFound } = useTexts('common');
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{pageNotFound.title}</PageTitle>
        <p>{pageNotFound.body}</p>
        <LinkButton href={home}>{pageNotFound.home}</LinkButton>
      </Card>
    </EntryFrame>
  );
}

/** The page for one whose code could not be loaded or has failed. */
export function FailedPage() {
  const { pageFailed } = useTexts('common');
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{pageFailed.title}</PageTitle>
        <p>{pageFailed.body}</p>
        <Button onClick={() => location.reload()}>{pageFailed.reload}</Button>
      </Card>
    </EntryFrame>
  );
}
