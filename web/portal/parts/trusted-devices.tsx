import { useQuery } from '@tanstack/preact-query';
import { listTrustedDevices, removeTrustedDevice, removeTrustedDevices, type PorticoError, type TrustedDevice } from '@portico/client';
import { useState } from 'preact/hooks';
import { dataOf } from '../../app/queries.tsx';
import { useTexts, type Bundles } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Card } from '../../kit/card.tsx';
import { ConfirmDialog } from '../../kit/confirm-dialog.tsx';
import { DateTime } from '../../kit/date-time.tsx';
import { focusContent } from '../../kit/focus-content.ts';
import { Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { deviceName } from '../../kit/session-columns.tsx';
import { Table, type Column } from '../../kit/table.tsx';

/** The browsers in which a sign-in does not ask for a second factor, and how to remove them. */
export default function TrustedDevices({ onChanged }: { onChanged: () => Promise<unknown> }) {
  const { devices: texts } = useTexts('secondStep');
  const devices = useQuery({
    queryKey: ['trusted-devices'],
    queryFn: () => dataOf(listTrustedDevices({ query: { limit: 100 } })),
  });
  const [done, setDone] = useState<string>();
  const [problem, setProblem] = useState<PorticoError>();
  const [asks, setAsks] = useState(false);
  const showDone = async (sentence: string) => {
    setProblem(undefined);
    await onChanged();
    setDone(sentence);
  };
  const remove = async ({ id: device_id }: TrustedDevice) => {
    const { error } = await removeTrustedDevice({ path: { device_id } });
    // A device that is not found is no longer trusted.
    if (error && error.code !== 'not_found') return setProblem(error);
    await showDone(texts.removed);
    focusContent();
  };
  return (
    <Card title={texts.title}>
      {done && <Notice kind="success">{done}</Notice>}
      {problem && <ProblemNotice problem={problem} />}
      <p class="p-muted">{texts.intro}</p>
      <Loaded query={devices}>
        {({ data }) =>
          data.length === 0 ? (
            <p>{texts.empty}</p>
          ) : (
            <>
              <Table caption={texts.title} rows={data} keyOf={({ id }) => id} columns={columns(texts, remove)} />
              <div class="p-actions">
                <Button onClick={() => setAsks(true)}>{texts.removeAll}</Button>
              </div>
            </>
          )
        }
      </Loaded>
      {asks && (
        <ConfirmDialog
          title={texts.removeAllTitle}
          confirm={texts.removeAll}
          act={() => removeTrustedDevices()}
          onDone={() => showDone(texts.allRemoved)}
          onClose={() => setAsks(false)}
        >
          <p>{texts.removeAllBody}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function columns(texts: Bundles['secondStep']['devices'], remove: (device: TrustedDevice) => unknown): Column<TrustedDevice>[] {
  return [
    { title: texts.device, role: 'heading', cell: (device) => deviceName(device, texts) },
    { title: texts.network, cell: ({ ip }) => ip ?? '–' },
    { title: texts.added, cell: ({ created_at }) => <DateTime value={created_at} /> },
    { title: texts.lastUsed, cell: ({ last_used_at }) => <DateTime value={last_used_at} /> },
    { title: texts.until, cell: ({ expires_at }) => <DateTime value={expires_at} dateOnly /> },
    {
      title: texts.actions,
      role: 'actions',
      cell: (device) => (
        <Button small onClick={() => remove(device)} label={texts.removeOf(deviceName(device, texts))}>
          {texts.remove}
        </Button>
      ),
    },
  ];
}
