import { AppFrame } from '../kit/app-frame.tsx';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { NAMES, type Entry } from './entry.ts';
import { Head } from './lists.tsx';

const LINKS = [
  { href: '/catalogue', label: 'Overview' },
  { href: '/catalogue/clients', label: 'Clients' },
  { href: '/catalogue/long', label: NAMES.long },
];

/** The frames, which are whole pages. */
export const FRAMES: Entry[] = [
  {
    name: 'EntryFrame',
    states: [
      {
        name: 'with a card',
        show: () => (
          <EntryFrame>
            <Card>
              <PageTitle>{NAMES.long}</PageTitle>
              <p>{NAMES.unbroken}</p>
            </Card>
          </EntryFrame>
        ),
      },
    ],
  },
  ...(['top', 'side'] as const).map((layout) => ({
    name: `AppFrame, ${layout}`,
    states: [
      {
        name: 'with a page',
        show: () => (
          <AppFrame home="/catalogue" links={LINKS} layout={layout} tools={<Button small>Sign out</Button>}>
            <Head />
          </AppFrame>
        ),
      },
    ],
  })),
];
