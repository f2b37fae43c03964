import { useState } from 'preact/hooks';
import { useBrand } from '../../app/brand.tsx';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { Checkbox } from '../checkbox.tsx';
import { CopyButton } from '../copy-button.tsx';
import { useAskBeforeLeaving } from '../leaving.ts';
import { Notice } from '../notice.tsx';
import { saveFile } from '../save-file.ts';

interface RecoveryCodesProps {
  codes: string[];
  /** The address of the user, for the file and the printed page. */
  account: string;
  onStored: () => unknown;
}

/**
 * Recovery codes, which are shown once: to be copied, printed or saved. The user goes on when they say that they have
 * stored the codes. Until then, the browser asks before the page is left.
 */
export function RecoveryCodes({ codes, account, onStored }: RecoveryCodesProps) {
  const { codes: texts } = useTexts('secondStep');
  const [isStored, setStored] = useState(false);
  const { name } = useBrand();
  const title = texts.of(account, name);
  useAskBeforeLeaving(isStored ? undefined : texts.question);
  const save = () => {
    const text = [title, texts.once, '', ...codes, ''].join('\r\n');
    saveFile(`${texts.file}.txt`, new Blob([text], { type: 'text/plain;charset=utf-8' }));
  };
  return (
    <div class="p-stack">
      <p>{texts.intro}</p>
      <Notice kind="warning">
        <p>{texts.warning}</p>
      </Notice>
      <section class="p-recovery-codes" aria-label={texts.label}>
        <p class="p-printed" aria-hidden="true">
          {title}
        </p>
        <p class="p-printed" aria-hidden="true">
          {texts.once}
        </p>
        <ol>
          {codes.map((code) => (
            <li key={code}>
              <code dir="ltr">{code}</code>
            </li>
          ))}
        </ol>
      </section>
      <div class="p-actions">
        <CopyButton text={codes.join('\n')} label={texts.copy} />
        <Button small onClick={() => print()}>
          {texts.print}
        </Button>
        <Button small onClick={save}>
          {texts.download}
        </Button>
      </div>
      <Checkbox name="stored" checked={isStored} onChange={setStored}>
        {texts.stored}
      </Checkbox>
      <div class="p-actions">
        <Button kind="primary" disabled={!isStored} onClick={onStored}>
          {texts.submit}
        </Button>
      </div>
    </div>
  );
}
