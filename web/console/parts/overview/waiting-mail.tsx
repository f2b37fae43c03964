import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { formats } from '../../../i18n/formats.ts';
import { Card } from '../../../kit/card.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { Notice } from '../../../kit/notice.tsx';

/** From when on a waiting mail is unusual. */
const SLOW_SECONDS = 10 * 60;

interface WaitingMailProps {
  /** How long the oldest mail has waited. */
  seconds: number | null;
  mayReadMail: boolean;
}

/** How long the oldest mail has waited to be sent. */
export function WaitingMail({ seconds, mayReadMail }: WaitingMailProps) {
  const { queue, failed } = useTexts('console').overview;
  const locale = useFormatLocale();
  if (seconds === null) {
    return (
      <Card title={queue.title}>
        <EmptyState title={queue.none} />
      </Card>
    );
  }
  return (
    <Card title={queue.title}>
      <dl class="p-steps">
        <div>
          <dt>{queue.oldest}</dt>
          <dd class="p-figure">{formats(locale).duration(seconds)}</dd>
        </div>
      </dl>
      {seconds > SLOW_SECONDS && (
        <Notice kind="warning">
          <p>{queue.slow}</p>
        </Notice>
      )}
      {mayReadMail && <a href="/console/mail?status=queued">{failed.log}</a>}
    </Card>
  );
}
