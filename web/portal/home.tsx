import { useTexts } from '../app/texts.ts';
import { PageHead } from '../kit/page-head.tsx';
import { useSession } from './parts/session.tsx';

/** The start page of a portal user: who they are, for which client they act, and what they can do. */
export default function HomePage() {
  const { home } = useTexts('portal');
  const { user } = useSession();
  return (
    <>
      <PageHead title={home.title} />
      <p>{user.name}</p>
    </>
  );
}
