import type { ComponentChildren } from 'preact';
import { OfflineNotice } from './offline-notice.tsx';
import { LanguageMenu } from './language-menu.tsx';
import { Logo } from './logo.tsx';

/** The frame of a page that one card fills, such as sign-in: the brand above it and the languages below it. */
export function EntryFrame({ children, footer }: { children: ComponentChildren; footer?: ComponentChildren }) {
  return (
    <div class="p-entry">
      <OfflineNotice />
      <header class="p-entry-head">
        <Logo />
      </header>
      <main class="p-entry-main">{children}</main>
      <footer class="p-entry-foot">
        {footer}
        <LanguageMenu />
      </footer>
    </div>
  );
}
