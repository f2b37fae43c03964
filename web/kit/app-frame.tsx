import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from '../app/location.tsx';
import { useTexts } from '../app/texts.ts';
import { focusContent } from './focus-content.ts';
import { Logo } from './logo.tsx';
import { OfflineNotice } from './offline-notice.tsx';

export interface NavigationLink {
  href: string;
  label: string;
  /** Whether a space separates the link from the one before. */
  beginsGroup?: boolean | undefined;
}

interface AppFrameProps {
  home: string;
  links: NavigationLink[];
  /** What stands at the end of the header, such as the menu of the user. */
  tools: ComponentChildren;
  /** `top` is for a few links above the page. `side` is for many: on a phone, a button shows them. */
  layout: 'top' | 'side';
  children: ComponentChildren;
}

/** The frame of the pages after sign-in: brand, navigation and content. */
export function AppFrame({ home, links, tools, layout, children }: AppFrameProps) {
  const texts = useTexts('signedIn');
  const { path } = useLocation();
  const [opened, setOpened] = useState(false);
  useEffect(() => setOpened(false), [path]);
  return (
    <div class={`p-app p-app-${layout}`} data-navigation={opened ? 'open' : undefined}>
      <a class="p-skip" href="#content" onClick={skip}>
        {texts.skipToContent}
      </a>
      <OfflineNotice />
      <header class="p-app-head">
        {layout === 'side' && <MenuButton opened={opened} onClick={() => setOpened(!opened)} />}
        <a class="p-app-home" href={home}>
          <Logo />
        </a>
        <div class="p-app-tools">{tools}</div>
      </header>
      <Navigation home={home} links={links} />
      <main class="p-app-main" id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Navigation({ home, links }: Pick<AppFrameProps, 'home' | 'links'>) {
  const texts = useTexts('signedIn');
  const { path } = useLocation();
  const current = currentLink(links, home, path);
  return (
    <nav class="p-app-nav" id="navigation" aria-label={texts.menu}>
      <ul>
        {links.map(({ href, label, beginsGroup }) => (
          <li key={href} data-begins-group={beginsGroup ? '' : undefined}>
            <a href={href} aria-current={href === current ? 'page' : undefined}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function MenuButton({ opened, onClick }: { opened: boolean; onClick: () => void }) {
  const texts = useTexts('signedIn');
  return (
    <button type="button" class="p-icon-button p-app-menu" aria-label={texts.menu} aria-expanded={opened} aria-controls="navigation" onClick={onClick}>
      <span aria-hidden="true">☰</span>
    </button>
  );
}

/** Returns the link to the page, or to the nearest page above it. The start page counts for itself only. */
function currentLink(links: NavigationLink[], home: string, path: string): string | undefined {
  const isAbove = (href: string) => href !== home && path.startsWith(`${href}/`);
  const above = links.map(({ href }) => href).filter((href) => path === href || isAbove(href));
  return above.sort((a, b) => b.length - a.length)[0];
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  focusContent();
}
