import { getSignInPolicy } from '@portico/client';
import { useQuery } from '@tanstack/preact-query';
import { dataOf } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { useMay } from './parts/permissions.ts';
import { PolicyFacts } from './parts/policy/policy-facts.tsx';
import { PolicyForm } from './parts/policy/policy-form.tsx';

/** How portal users may sign in, and who must have a second factor. */
export default function SignInPolicyPage() {
  const texts = useTexts('policy');
  const mayEdit = useMay('policy:edit');
  // Not loaded again in the meantime: what the user has changed would seem to be other than it is.
  const query = useQuery({
    queryKey: ['sign-in-policy'],
    queryFn: () => dataOf(getSignInPolicy()),
    staleTime: Infinity,
    gcTime: 0,
  });
  return (
    <StaffStepUp>
      <Outcomes>
        <PageHead title={texts.title} />
        <p class="p-intro">{texts.intro}</p>
        <Loaded query={query} lines={8}>
          {(policy) => (mayEdit ? <PolicyForm policy={policy} /> : <PolicyFacts policy={policy} />)}
        </Loaded>
      </Outcomes>
    </StaffStepUp>
  );
}
