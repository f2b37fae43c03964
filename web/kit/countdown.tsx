import { useEffect, useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';

/** Returns the seconds that are left of `seconds`. A new value of `since` starts again. */
export function useCountdown(seconds: number | undefined, since: unknown): number {
  const [left, setLeft] = useState(seconds ?? 0);
  useEffect(() => {
    const end = performance.now() + (seconds ?? 0) * 1000;
    const update = () => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
    update();
    if (!seconds) return;
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  }, [seconds, since]);
  return left;
}

/** Says when a refused call may be repeated. Only the visible text counts the seconds: a screen reader hears the ends. */
export function RetryCountdown({ left, total }: { left: number; total: number }) {
  const texts = useTexts('problems');
  return (
    <>
      <p aria-hidden="true">{left > 0 ? texts.retryIn(left) : texts.retryNow}</p>
      <p class="p-hidden" role="status">
        {left > 0 ? texts.retryIn(total) : texts.retryNow}
      </p>
    </>
  );
}
