import { useQuery } from '@tanstack/preact-query';
import { getBranding } from '@portico/client';
import { dataOf } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { BrandingEditor } from './parts/branding/branding-editor.tsx';
import { BrandingFacts } from './parts/branding/branding-facts.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { useMay } from './parts/permissions.ts';

/** The name, the logo, the colours and the language of the tenant. */
export default function BrandingPage() {
  const { branding: texts } = useTexts('settings');
  const mayEdit = useMay('settings:edit');
  // Not loaded again in the meantime: what the user has changed would seem to be other than it is.
  const query = useQuery({
    queryKey: ['branding'],
    queryFn: () => dataOf(getBranding()),
    staleTime: Infinity,
    gcTime: 0,
  });
  return (
    <StaffStepUp>
      <Outcomes>
        <PageHead title={texts.title} />
        <p class="p-intro">{texts.intro}</p>
        <Loaded query={query} lines={8}>
          {(branding) => (mayEdit ? <BrandingEditor branding={branding} /> : <BrandingFacts branding={branding} />)}
        </Loaded>
      </Outcomes>
    </StaffStepUp>
  );
}
