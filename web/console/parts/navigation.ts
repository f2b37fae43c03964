// The links of the console.
import type { CurrentStaffSession } from '@portico/client';
import type { Bundles } from '../../app/texts.ts';
import type { NavigationLink } from '../../kit/app-frame.tsx';
import type { Permission } from './permissions.ts';

type Label = keyof Bundles['console']['navigation'];

interface Destination {
  path: string;
  label: Label;
  /** What the user must be allowed to do. Without it, every staff user sees the link. */
  permission?: Permission;
  beginsGroup?: boolean;
}

const DESTINATIONS: Destination[] = [
  { path: '', label: 'overview', permission: 'clients:read' },
  { path: '/clients', label: 'clients', permission: 'clients:read' },
  { path: '/people', label: 'people', permission: 'clients:read' },
  { path: '/invitations', label: 'invitations', permission: 'clients:read' },
  { path: '/mail', label: 'mail', permission: 'emails:read', beginsGroup: true },
  { path: '/audit', label: 'audit', permission: 'audit:read' },
  { path: '/staff', label: 'staff', permission: 'staff:read', beginsGroup: true },
  { path: '/service-accounts', label: 'serviceAccounts', permission: 'staff:read' },
  { path: '/tokens', label: 'tokens' },
  { path: '/branding', label: 'branding', permission: 'settings:read' },
  { path: '/sign-in-policy', label: 'signInPolicy', permission: 'policy:read' },
  { path: '/account', label: 'account', beginsGroup: true },
];

/** Returns the links that a staff user may follow. */
export function navigationLinks(session: CurrentStaffSession, labels: Bundles['console']['navigation']): NavigationLink[] {
  const mayFollow = ({ permission }: Destination) => !permission || session.permissions.includes(permission);
  return DESTINATIONS.filter(mayFollow).map(({ path, label, beginsGroup }) => ({
    href: `/console${path}`,
    label: labels[label],
    beginsGroup,
  }));
}
