import type { Branding } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { isColor, textOn, type Theme } from './contrast.ts';
import type { Draft } from './draft.ts';
import { MailPreview } from './mail-preview.tsx';

interface PreviewProps {
  draft: Draft;
  logo: Branding['logo'];
}

/** What pages and mails look like with the values of the form. Mails have the light theme only. */
export function Preview({ draft, logo }: PreviewProps) {
  const { preview: texts } = useTexts('settings').branding;
  return (
    <div class="p-preview-column">
      <Card title={texts.title}>
        <div class="p-samples">
          <Sample title={texts.light} theme="light" draft={draft}>
            <SignInPreview draft={draft} logo={logo} />
          </Sample>
          <Sample title={texts.dark} theme="dark" draft={draft}>
            <SignInPreview draft={draft} logo={logo} />
          </Sample>
        </div>
        <Sample title={texts.mail} theme="light" draft={draft}>
          <MailPreview draft={draft} logo={logo} />
        </Sample>
      </Card>
    </div>
  );
}

interface SampleProps {
  title: string;
  theme: Theme;
  draft: Draft;
  children: ComponentChildren;
}

/** A part of a page with its own theme and brand. It cannot be used, and assistive technology reads its title only. */
function Sample({ title, theme, draft, children }: SampleProps) {
  return (
    <figure class="p-sample">
      <figcaption>{title}</figcaption>
      <div class="p-sample-page" style={styleOf(theme, draft)} inert>
        {children}
      </div>
    </figure>
  );
}

/** The colours of the neutral brand, while the typed one is no colour. */
const NEUTRAL: Record<Theme, string> = { light: '#1f4fbf', dark: '#9db8ff' };

/** Returns the custom properties of a brand in a theme. */
function styleOf(theme: Theme, { accent, accentDark, radius }: Draft): Record<string, string> {
  const typed = theme === 'light' ? accent : accentDark;
  const color = isColor(typed) ? typed : NEUTRAL[theme];
  return {
    colorScheme: theme,
    '--portico-accent': color,
    '--portico-link': color,
    '--portico-on-accent': textOn(color),
    '--portico-radius': `${radius}px`,
  };
}

/** The logo, or the name where there is no logo. */
export function BrandMark({ draft, logo }: PreviewProps) {
  if (logo) return <img class="p-logo" src={logo.url} width={logo.width} height={logo.height} alt="" />;
  return <bdi class="p-brand-name">{draft.name}</bdi>;
}

function SignInPreview({ draft, logo }: PreviewProps) {
  const { preview: texts } = useTexts('settings').branding;
  return (
    <>
      <BrandMark draft={draft} logo={logo} />
      <div class="p-card">
        <p class="p-card-title">
          <strong>{texts.signIn}</strong>
        </p>
        <div class="p-field">
          <span>{texts.email}</span>
          <span class="p-input">ann@example.com</span>
        </div>
        <span class="p-button p-button-primary">{texts.signIn}</span>
        <span class="p-sample-link">{texts.forgot}</span>
      </div>
    </>
  );
}
