import { useTexts } from '../app/texts.ts';
import { PageHead } from '../kit/page-head.tsx';

/** What happened to the invitations of the tenant. */
export default function OverviewPage() {
  const { overview } = useTexts('console');
  return <PageHead title={overview.title} />;
}
