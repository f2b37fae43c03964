import type { TenantContact } from '@portico/client';
import { useTexts } from '../../app/texts.ts';
import { Card } from '../../kit/card.tsx';
import { Fact, Facts } from '../../kit/facts.tsx';
import { mailto, tel } from './contact-links.ts';

/** How the user reaches the company, if it has said so. */
export function Support({ tenant: { name, support } }: { tenant: TenantContact }) {
  const texts = useTexts('portal');
  if (!support.email && !support.phone) return null;
  return (
    <Card title={texts.home.support}>
      <p>{texts.home.supportIntro(name)}</p>
      <Facts>
        {support.email && (
          <Fact name={texts.email}>
            <a href={mailto(support.email)}>{support.email}</a>
          </Fact>
        )}
        {support.phone && (
          <Fact name={texts.home.phone}>
            <a href={tel(support.phone)}>{support.phone}</a>
          </Fact>
        )}
      </Facts>
    </Card>
  );
}
