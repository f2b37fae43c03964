import { useTexts } from '../../app/texts.ts';
import { useSession } from './session.tsx';

/** Links to what the user can do. */
export function Tasks() {
  const { home } = useTexts('portal');
  const { client, clients } = useSession();
  const { colleagues, profile, password, factors, sessions, clients: choice } = home.links;
  const tasks = [
    ...(client?.role === 'admin' ? [{ href: '/portal/colleagues', ...colleagues }] : []),
    ...(clients.length > 1 ? [{ href: '/portal/choose-client', ...choice }] : []),
    { href: '/portal/account', ...profile },
    { href: '/portal/account/password', ...password },
    { href: '/portal/account/second-factors', ...factors },
    { href: '/portal/account/sessions', ...sessions },
  ];
  return (
    <section class="p-stack">
      <h2 class="p-card-title">{home.youCan}</h2>
      <ul class="p-choices">
        {tasks.map(({ href, title, body }) => (
          <li key={href}>
            <a class="p-choice" href={href}>
              <span class="p-choice-title">{title}</span>
              <span class="p-muted">{body}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
