import { afterSignIn } from '../app/navigation.ts';
import { useTexts } from '../app/texts.ts';
import { PageHead } from '../kit/page-head.tsx';
import { ClientChoice } from './parts/client-choice.tsx';

/** The page on which a user of several clients chooses one. */
export default function ChooseClientPage() {
  const { chooseClient: texts } = useTexts('portal');
  return (
    <>
      <PageHead title={texts.title} />
      <ClientChoice address={afterSignIn('portal')} />
    </>
  );
}
