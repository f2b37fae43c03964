// What the staff user may do. Pages leave out what a role may not do; the server refuses it in any case.
import type { StaffPermission } from '@portico/client';
import { useSession } from './session.tsx';

export type Permission = StaffPermission;

/** Returns whether the staff user has a permission. */
export const useMay = (permission: Permission): boolean => useSession().permissions.includes(permission);
