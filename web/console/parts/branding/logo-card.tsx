import { removeLogo, type Branding, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';
import { FileDrop } from '../../../kit/file-drop.tsx';
import { Notice } from '../../../kit/notice.tsx';
import { ProblemNotice } from '../../../kit/problem-notice.tsx';
import { useOutcome } from '../outcome.tsx';
import { LogoImage } from './logo-image.tsx';
import { describeRefusal, LOGO_TYPES, refusalOf, uploadLogo } from './logo-upload.ts';

interface LogoCardProps {
  branding: Branding;
  /** Receives the brand after the logo has changed, and a sentence that says so. */
  onChanged: (saved: Branding, sentence: string) => void;
}

/** Why a file did not become the logo. */
type Failure = { sentence: string } | { problem: PorticoError };

/** The logo, and how to replace or remove it. It is saved at once. */
export function LogoCard({ branding, onChanged }: LogoCardProps) {
  const { branding: texts } = useTexts('settings');
  const locale = useFormatLocale();
  const say = useOutcome();
  const { whenFresh } = useStepUp();
  const [share, setShare] = useState<number>();
  const [failure, setFailure] = useState<Failure>();
  const [isRemoving, setRemoving] = useState(false);

  const upload = async (file: File) => {
    say('');
    const refusal = refusalOf(file, locale, texts.logoProblems);
    setFailure(refusal ? { sentence: refusal } : undefined);
    if (refusal) return;
    setShare(0);
    const { data, error } = await whenFresh(() => uploadLogo(file, setShare));
    setShare(undefined);
    if (data) return onChanged(data, texts.logoSet);
    if (!error) return;
    const sentence = describeRefusal(error, file, texts.logoProblems);
    setFailure(sentence ? { sentence } : { problem: error });
  };
  return (
    <Card title={texts.logo} actions={branding.logo && <Button onClick={() => setRemoving(true)}>{texts.logoRemove}</Button>}>
      <LogoImage branding={branding} />
      <FileDrop
        title={texts.logoDrop}
        choose={branding.logo ? texts.logoReplace : texts.logoChoose}
        accept={LOGO_TYPES.join()}
        busy={share !== undefined}
        onFile={upload}
      />
      <p class="p-hint">{texts.logoHint}</p>
      {share !== undefined && <Progress share={share} />}
      {failure && <ShownFailure failure={failure} />}
      {isRemoving && (
        <ConfirmDialog
          title={texts.logoRemoveTitle}
          confirm={texts.logoRemove}
          act={() => whenFresh(() => removeLogo())}
          onDone={(saved) => saved && onChanged(saved, texts.logoRemoved)}
          onClose={() => setRemoving(false)}
        >
          <p>{texts.logoRemoveBody}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function Progress({ share }: { share: number }) {
  const { branding: texts } = useTexts('settings');
  const sentence = share < 1 ? texts.logoUploading : texts.logoChecking;
  return (
    <div class="p-progress">
      <p role="status">{sentence}</p>
      {/* Without a value, the bar shows that the server works on the image. */}
      <progress aria-label={sentence} {...(share < 1 ? { value: share } : {})} />
    </div>
  );
}

function ShownFailure({ failure }: { failure: Failure }) {
  if ('problem' in failure) return <ProblemNotice problem={failure.problem} />;
  return (
    <Notice kind="danger">
      <p>{failure.sentence}</p>
    </Notice>
  );
}
