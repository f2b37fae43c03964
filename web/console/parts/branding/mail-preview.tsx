import { useTexts } from '../../../app/texts.ts';
import type { Branding } from '@portico/client';
import type { Draft } from './draft.ts';
import { BrandMark } from './preview.tsx';

/** What an invitation looks like with the values of the form. */
export function MailPreview({ draft, logo }: { draft: Draft; logo: Branding['logo'] }) {
  const { preview: texts } = useTexts('settings').branding;
  const contacts = [draft.email, draft.phone].map((text) => text.trim()).filter(Boolean);
  return (
    <div class="p-card p-sample-mail">
      <BrandMark draft={draft} logo={logo} />
      <p>{texts.greeting}</p>
      <p dir="auto">{texts.body(draft.name)}</p>
      <p>
        <span class="p-button p-button-primary">{texts.button}</span>
      </p>
      {contacts.length > 0 && (
        <p class="p-muted">
          {texts.contact} <bdi>{contacts.join(' · ')}</bdi>
        </p>
      )}
    </div>
  );
}
