// What the staff user may do. Pages leave out what a role may not do; the server refuses it in any case.
import type { CurrentStaffSession } from '@portico/client';
import { useSession } from './session.tsx';

const ALL = [
  'clients:read',
  'clients:edit',
  'emails:read',
  'emails:edit',
  'audit:read',
  'settings:read',
  'settings:edit',
  'staff:read',
  'staff:edit',
] as const;
export type Permission = (typeof ALL)[number];

type Role = CurrentStaffSession['user']['role'];

const OF_ROLE: Record<Role, (permission: Permission) => boolean> = {
  owner: () => true,
  admin: (permission) => permission !== 'staff:edit',
  support: (permission) => /^(clients|emails):/.test(permission),
  viewer: (permission) => permission.endsWith(':read'),
};

/** Returns what the user of a session may do. */
export const permissionsOf = ({ user }: CurrentStaffSession): readonly Permission[] => ALL.filter(OF_ROLE[user.role]);

/** Returns whether the staff user has a permission. */
export const useMay = (permission: Permission): boolean => permissionsOf(useSession()).includes(permission);
