import { useLocation } from '../../app/location.tsx';
import { useTexts } from '../../app/texts.ts';
import { PageHead } from '../../kit/page-head.tsx';

/** The heading of an account page, and the links to the others. */
export function AccountHead({ title }: { title: string }) {
  const { account } = useTexts('portal');
  const { path } = useLocation();
  const links = [
    { href: '/portal/account', label: account.profile.title },
    { href: '/portal/account/password', label: account.password.title },
    { href: '/portal/account/second-factors', label: account.factors.title },
    { href: '/portal/account/sessions', label: account.sessions.title },
  ];
  return (
    <>
      <PageHead title={title} />
      <nav class="p-tabs" aria-label={account.title}>
        {links.map(({ href, label }) => (
          <a key={href} href={href} aria-current={href === path ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
    </>
  );
}
