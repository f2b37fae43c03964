import type { Branding } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { Fact, Facts } from '../../../kit/facts.tsx';
import { draftOf } from './draft.ts';
import { LogoImage } from './logo-image.tsx';
import { Preview } from './preview.tsx';

/** The brand for staff users who may not change it. */
export function BrandingFacts({ branding }: { branding: Branding }) {
  const { branding: texts } = useTexts('settings');
  const { languages } = useTexts('common');
  const { name, support, locale, colors, radius } = branding;
  return (
    <div class="p-branding">
      <Card>
        <Facts>
          <Fact name={texts.name}>
            <bdi>{name}</bdi>
          </Fact>
          <Fact name={texts.logo}>
            <LogoImage branding={branding} />
          </Fact>
          <Fact name={texts.supportEmail}>{support.email ?? '–'}</Fact>
          <Fact name={texts.supportPhone}>{support.phone ?? '–'}</Fact>
          <Fact name={texts.locale}>{(languages as Record<string, string>)[locale] ?? locale}</Fact>
          <Fact name={texts.accent}>
            <Color value={colors.accent} />
          </Fact>
          <Fact name={texts.accentDark}>
            <Color value={colors.accent_dark} />
          </Fact>
          <Fact name={texts.radius}>{texts.pixels(radius)}</Fact>
        </Facts>
      </Card>
      <Preview draft={draftOf(branding)} logo={branding.logo} />
    </div>
  );
}

function Color({ value }: { value: string }) {
  return (
    <>
      <span class="p-color-dot" style={{ background: value }} /> <code>{value}</code>
    </>
  );
}
