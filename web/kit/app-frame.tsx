import type { ComponentChildren } from 'preact';
import { useLocation } from '../app/location.tsx';
import { useTexts } from '../app/texts.ts';
import { Logo } from './logo.tsx';
import { OfflineNotice } from './offline-notice.tsx';

export interface NavigationLink {
  href: string;
  label: string;
}

interface AppFrameProps {
  home: string;
  links: NavigationLink[];
  /** What stands at the end of the header, such as the menu of the user. */
  tools: ComponentChildren;
  /** `top` is for a few links, `side` for many. On a phone, both are above the page. */
  layout: 'top' | 'side';
  children: ComponentChildren;
}

/** The frame of the pages after sign-in: brand, navigation and content. */
export function AppFrame({ home, links, tools, layout, children }: AppFrameProps) {
  const texts = useTexts('common');
  const { path } = useLocation();
  const current = links.map(({ href }) => href).filter((href) => path === href || path.startsWith(`${href}/`)).sort((a, b) => b.length - a.length)[0];
  return (
    <div class={`p-app p-app-${layout}`}>
      <a class="p-skip" href="#content" onClick={skip}>
        {texts.skipToContent}
      </a>
      <OfflineNotice />
      <header class="p-app-head">
        <a class="p-app-home" href={home}>
          <Logo />
        </a>
        <div class="p-app-tools">{tools}</div>
      </header>
      <nav class="p-app-nav" aria-label={texts.menu}>
        <ul>
          {links.map(({ href, label }) => (
            <li key={href}>
              <a href={href} aria-current={href === current ? 'page' : undefined}>
                {label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main class="p-app-main" id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}
