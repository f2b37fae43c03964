import type { ClientSummary } from '@portico/client';
import { useLocation } from '../../app/location.tsx';
import { useTexts } from '../../app/texts.ts';
import { Menu } from '../../kit/menu.tsx';
import { enterClient } from './enter-client.ts';
import { MenuLabel } from './menu-label.tsx';

/** How many clients the menu lists. The page for choosing a client has all of them. */
const MAX_CLIENTS = 8;

/** The menu that changes the client for which the user acts. */
export function ClientMenu({ client, clients }: { client: ClientSummary; clients: ClientSummary[] }) {
  const texts = useTexts('portal');
  const { goTo } = useLocation();
  const enter = async (id: string) => {
    const { error } = await enterClient(id, '/portal');
    if (error) goTo('/portal/choose-client');
  };
  return (
    <Menu label={texts.clientMenu(client.name)} button={<MenuLabel text={client.name} />}>
      {clients.slice(0, MAX_CLIENTS).map(({ id, name }) => (
        <button key={id} type="button" dir="auto" aria-current={id === client.id ? 'true' : undefined} onClick={() => void enter(id)}>
          {name}
        </button>
      ))}
      {clients.length > MAX_CLIENTS && <a href="/portal/choose-client">{texts.allClients}</a>}
    </Menu>
  );
}
