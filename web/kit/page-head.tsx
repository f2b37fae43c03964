import type { ComponentChildren } from 'preact';
import { PageTitle } from './page-title.tsx';

/** The heading of a page after sign-in, and the actions that concern the whole page. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class="p-page-head">
      <PageTitle>{title}</PageTitle>
      {children && <div class="p-actions">{children}</div>}
    </header>
  );
}
