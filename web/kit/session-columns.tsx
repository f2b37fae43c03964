// The columns of a list of sessions.
import type { OwnSession } from '@portico/client';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { DateTime } from './date-time.tsx';
import type { Column } from './table.tsx';

interface SessionTexts {
  device: string;
  unknownDevice: string;
  current: string;
  network: string;
  since: string;
  lastSeen: string;
  actions: string;
  end: string;
  endLabel: (device: string) => string;
}

/** Returns the columns of a list of sessions. `end` runs when the user wants to end a session other than this one. */
export function sessionColumns(texts: SessionTexts, end: (session: OwnSession) => unknown): Column<OwnSession>[] {
  return [
    {
      title: texts.device,
      role: 'heading',
      cell: (session) => (
        <span class="p-name-line">
          {deviceName(session, texts)}
          {session.current && <Badge kind="accent">{texts.current}</Badge>}
        </span>
      ),
    },
    { title: texts.network, cell: ({ ip }) => ip ?? '–' },
    { title: texts.since, cell: ({ created_at }) => <DateTime value={created_at} /> },
    { title: texts.lastSeen, cell: ({ last_seen_at }) => <DateTime value={last_seen_at} /> },
    {
      title: texts.actions,
      role: 'actions',
      cell: (session) =>
        !session.current && (
          <Button small onClick={() => end(session)} label={texts.endLabel(deviceName(session, texts))}>
            {texts.end}
          </Button>
        ),
    },
  ];
}

/**
 * Returns the name of a device. The server writes it in English: `Firefox on Windows`, `Unknown browser on Windows` or
 * `Unknown device`.
 */
export const deviceName = ({ device }: Pick<OwnSession, 'device'>, { unknownDevice }: Pick<SessionTexts, 'unknownDevice'>): string =>
  device === 'Unknown device' ? unknownDevice : device.replace('Unknown browser on ', '').replace(' on ', ' · ');
