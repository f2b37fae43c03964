import type { CheckedLink, LinkPurpose } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { rememberTenant, useShownTenant } from '../../app/brand.tsx';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Card } from '../../kit/card.tsx';
import { EntryFrame } from '../../kit/entry-frame.tsx';
import { PageTitle } from '../../kit/page-title.tsx';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { Spinner } from '../../kit/spinner.tsx';
import { useCheckedLink, type DeadCode, type LinkState } from './checked-link.ts';
import { DeadLink } from './dead-link.tsx';
import { useOpenedLink } from './link-token.ts';

/** A link that can be used. */
export interface LiveLink {
  link: CheckedLink;
  token: string;
  /** Forgets the token, because it is spent. */
  forget: () => void;
  /** Shows that the link cannot be used any more. */
  setDead: (code: DeadCode) => void;
}

interface LinkPageProps {
  purpose: LinkPurpose;
  /** The title until the link is checked. */
  title: string;
  children: (live: LiveLink) => ComponentChildren;
}

/** A page that a mailed link opens. It checks the link, and shows `children` if the link can be used. */
export function LinkPage({ purpose, title, children }: LinkPageProps) {
  const { token, forget } = useOpenedLink();
  const { state, retry, setDead } = useCheckedLink(token, purpose);
  const tenant = state.kind === 'live' ? (state.link.tenant?.slug ?? null) : undefined;
  useShownTenant(tenant);
  const spend = () => {
    forget();
    if (tenant !== undefined) rememberTenant(tenant);
  };
  return (
    <EntryFrame>
      <Card>
        {state.kind === 'live' && token ? (
          children({ link: state.link, token, forget: spend, setDead })
        ) : (
          <NotLive state={state} title={title} purpose={purpose} token={token} retry={retry} forget={forget} />
        )}
      </Card>
    </EntryFrame>
  );
}

interface NotLiveProps {
  state: LinkState;
  title: string;
  purpose: LinkPurpose;
  token: string | undefined;
  retry: () => void;
  forget: () => void;
}

function NotLive({ state, title, purpose, token, retry, forget }: NotLiveProps) {
  const links = useTexts('links');
  const common = useTexts('common');
  if (state.kind === 'dead') return <DeadLink code={state.code} purpose={purpose} token={token} forget={forget} />;
  if (state.kind === 'failed') {
    return (
      <>
        <PageTitle>{links.failed.title}</PageTitle>
        <ProblemNotice problem={state.problem}>
          <Button onClick={retry}>{common.retry}</Button>
        </ProblemNotice>
      </>
    );
  }
  return (
    <>
      <PageTitle>{title}</PageTitle>
      <p class="p-checking" role="status">
        <Spinner /> {links.checking}
      </p>
    </>
  );
}
