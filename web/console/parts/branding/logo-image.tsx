import type { Branding } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';

/** The logo on both backgrounds, or a sentence that there is none. */
export function LogoImage({ branding: { logo, name } }: { branding: Branding }) {
  const { branding: texts } = useTexts('settings');
  if (!logo) return <p class="p-muted">{texts.logoNone}</p>;
  const { url, width, height } = logo;
  return (
    <div class="p-logos">
      <div class="p-logo-on" style={{ colorScheme: 'light' }}>
        <img class="p-logo" src={url} width={width} height={height} alt={texts.logoAlt(name)} />
      </div>
      <div class="p-logo-on" style={{ colorScheme: 'dark' }}>
        <img class="p-logo" src={url} width={width} height={height} alt="" />
      </div>
      <p class="p-muted p-small">{texts.logoSize(width, height)}</p>
    </div>
  );
}
