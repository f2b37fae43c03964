import type { Branding } from '@portico/client';
import { useState } from 'preact/hooks';
import { useShowBrand } from '../../../app/brand.tsx';
import { queries } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { useAskBeforeLeaving } from '../../../kit/leaving.ts';
import { useOutcome } from '../outcome.tsx';
import { useSession } from '../session.tsx';
import { BrandingForm } from './branding-form.tsx';
import { draftOf, isChanged } from './draft.ts';
import { LogoCard } from './logo-card.tsx';
import { Preview } from './preview.tsx';

/** The form for the brand, and beside it what the pages and mails will look like. */
export function BrandingEditor({ branding }: { branding: Branding }) {
  const { branding: texts } = useTexts('settings');
  const [draft, setDraft] = useState(() => draftOf(branding));
  const changed = isChanged(draft, branding);
  const show = useShowSaved();
  useAskBeforeLeaving(changed ? texts.leave : undefined);
  return (
    <div class="p-branding">
      <div class="p-branding-form">
        <BrandingForm
          branding={branding}
          draft={draft}
          onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
          onSaved={(saved) => {
            setDraft(draftOf(saved));
            show(saved, texts.saved);
          }}
        />
        <LogoCard branding={branding} onChanged={show} />
      </div>
      <Preview draft={draft} logo={branding.logo} />
    </div>
  );
}

/** Returns a function that shows a saved brand in the console, and says what was done. */
function useShowSaved(): (saved: Branding, sentence: string) => void {
  const { user } = useSession();
  const say = useOutcome();
  const showBrand = useShowBrand();
  return (saved, sentence) => {
    const { name, logo, locale, version } = saved;
    queries.setQueryData(['branding'], saved);
    showBrand({ tenant: user.tenant.slug, name, logo, locale, version });
    say(sentence);
  };
}
