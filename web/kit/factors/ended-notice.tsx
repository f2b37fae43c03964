import { useEffect, useRef } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { Notice } from '../notice.tsx';
import { useHasPassed } from './deadline.ts';

/** Why a sign-in can no longer be completed. */
export type SignInEnd = 'expired' | 'misses';

/** After so many wrong codes, the server accepts no code of the sign-in any more. */
const MAX_MISSES = 5;

/** Returns why a sign-in can no longer be completed, or `undefined` as long as it can. */
export function useSignInEnd(expiresInSeconds: number, misses: number): SignInEnd | undefined {
  const isExpired = useHasPassed(expiresInSeconds * 1000);
  if (misses >= MAX_MISSES) return 'misses';
  return isExpired ? 'expired' : undefined;
}

/** Says that a sign-in can no longer be completed, and leads to its beginning. */
export function EndedNotice({ end, onAgain }: { end: SignInEnd; onAgain: () => void }) {
  const { ended: texts } = useTexts('secondStep');
  const row = useRef<HTMLDivElement>(null);
  // The form that had the focus has gone.
  useEffect(() => row.current?.querySelector('button')?.focus(), []);
  return (
    <>
      <Notice kind="warning" title={texts[end].title}>
        <p>{texts[end].body}</p>
      </Notice>
      <div class="p-actions" ref={row}>
        <Button kind="primary" onClick={onAgain}>
          {texts.again}
        </Button>
      </div>
    </>
  );
}
