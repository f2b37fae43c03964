import type { Overview } from '@portico/client';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { formats } from '../../../i18n/formats.ts';
import { Card } from '../../../kit/card.tsx';
import { ShareBar } from '../../../kit/chart.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { Table } from '../../../kit/table.tsx';

interface FailedMailProps {
  failed: Overview['failed_mail'];
  /** The first day that is counted, such as `2026-11-01`. */
  from: string;
  mayReadMail: boolean;
}

/** How many mails have failed, by reason. The bars of the table are its chart. */
export function FailedMail({ failed, from, mayReadMail }: FailedMailProps) {
  const { failed: texts } = useTexts('console').overview;
  const locale = useFormatLocale();
  const most = Math.max(1, ...failed.map(({ count }) => count));
  return (
    <Card title={texts.title}>
      {failed.length === 0 ? (
        <EmptyState title={texts.none} />
      ) : (
        <Table
          caption={texts.title}
          rows={failed}
          keyOf={({ reason }) => reason}
          columns={[
            {
              title: texts.reason,
              role: 'heading',
              cell: ({ reason, count }) => (
                <>
                  {texts.reasons[reason]}
                  <ShareBar share={count / most} />
                </>
              ),
            },
            { title: texts.count, align: 'end', cell: ({ count }) => formats(locale).number(count) },
          ]}
        />
      )}
      {mayReadMail && failed.length > 0 && <a href={`/console/mail?status=failed&from=${from}`}>{texts.log}</a>}
    </Card>
  );
}
