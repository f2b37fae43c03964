import type { CheckedLink } from '@portico/client';
import { useTexts } from '../../app/texts.ts';

/** Says which account a link is for. */
export function AccountOfLink({ link }: { link: CheckedLink }) {
  const texts = useTexts('links');
  return (
    <dl class="p-link-account">
      <dt>{texts.forWhom}</dt>
      <dd>
        <strong dir="auto">{link.name}</strong>
        <br />
        {link.email}
      </dd>
      {link.client_name && (
        <>
          <dt>{texts.forClient}</dt>
          <dd dir="auto">{link.client_name}</dd>
        </>
      )}
    </dl>
  );
}
