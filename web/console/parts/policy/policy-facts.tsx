import type { SignInPolicy } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { Fact, Facts } from '../../../kit/facts.tsx';
import { METHODS } from './values.ts';

/** The sign-in policy, for staff users who may not change it. */
export function PolicyFacts({ policy }: { policy: SignInPolicy }) {
  const texts = useTexts('policy');
  const { methods, mfa, trusted_device_days } = policy;
  return (
    <Card>
      <Facts>
        <Fact name={texts.methods}>
          {METHODS.filter((method) => methods[method]).map((method) => (
            <p key={method}>{texts.methodNames[method]}</p>
          ))}
        </Fact>
        <Fact name={`${texts.mfa}: ${texts.portal}`}>{texts.scopes[mfa.portal]}</Fact>
        <Fact name={`${texts.mfa}: ${texts.staff}`}>{texts.scopes[mfa.staff]}</Fact>
        <Fact name={texts.grace}>{texts.days(mfa.grace_days)}</Fact>
        <Fact name={texts.trusted}>{texts.days(trusted_device_days)}</Fact>
      </Facts>
    </Card>
  );
}
