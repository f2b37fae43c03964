import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useFormatLocale } from '../app/format-locale.ts';
import { whenFactorRequired } from '../app/http.ts';
import { useLocation } from '../app/location.tsx';
import { useTexts, type BundleName } from '../app/texts.ts';
import { formatTime } from '../kit/date-time.tsx';
import { Late } from '../kit/late.tsx';
import { Notice } from '../kit/notice.tsx';

interface RequiredFactorProps {
  /** When the user must have a second factor, as the session says. */
  dueAt: string | null;
  /** The page on which a second factor is set up. */
  setUpAt: string;
  /** Loads what stands in the place of each page once a second factor is due. It loads the session again at its end. */
  load: () => Promise<{ default: ComponentType }>;
  /** The bundles of texts that it uses. */
  texts: BundleName[];
  children: ComponentChildren;
}

/**
 * Shows the pages, and says above them until when a second factor must be set up. Once it is due, as the session or the
 * answer to a call says, its setup stands in the place of the page.
 */
export function RequiredFactor({ dueAt, setUpAt, load, texts: bundles, children }: RequiredFactorProps) {
  const { secondFactor: texts } = useTexts('signedIn');
  const locale = useFormatLocale();
  const { path } = useLocation();
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    whenFactorRequired(() => setRefused(true));
    return () => whenFactorRequired(undefined);
  }, []);
  if (isRefused || (dueAt && Date.parse(dueAt) <= Date.now())) return <Late load={load} texts={bundles} props={{}} />;
  return (
    <>
      {dueAt && path !== setUpAt && (
        <Notice kind="warning">
          <p>
            {texts.due(formatTime(dueAt, locale))} <a href={setUpAt}>{texts.setUp}</a>
          </p>
        </Notice>
      )}
      {children}
    </>
  );
}
