import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { SelectField } from '../../../kit/select-field.tsx';
import { permissionsOfRole, ROLES, type StaffRole } from './roles.ts';

/** What a role may do, in words. */
export function RolePermissions({ role }: { role: StaffRole }) {
  const { permissions } = useTexts('access');
  return (
    <ul class="p-permissions">
      {permissionsOfRole(role).map((permission) => (
        <li key={permission}>{permissions[permission]}</li>
      ))}
    </ul>
  );
}

/** A card that explains all roles. */
export function RolesCard() {
  const { rolesTitle } = useTexts('access');
  const { staffRoles } = useTexts('console');
  return (
    <Card title={rolesTitle}>
      <div class="p-roles">
        {ROLES.map((role) => (
          <section key={role}>
            <h3>{staffRoles[role]}</h3>
            <RolePermissions role={role} />
          </section>
        ))}
      </div>
    </Card>
  );
}

interface RoleFieldProps {
  roles: readonly StaffRole[];
  initial: StaffRole;
  /** Called when the user chooses a role. */
  onChange?: (role: StaffRole) => void;
}

/** A field for a role, named `role`, that says what the chosen role may do. */
export function RoleField({ roles, initial, onChange }: RoleFieldProps) {
  const texts = useTexts('access');
  const { staffRoles } = useTexts('console');
  const [role, setRole] = useState(initial);
  const choose = (value: string) => {
    setRole(value as StaffRole);
    onChange?.(value as StaffRole);
  };
  return (
    <>
      <SelectField
        name="role"
        label={texts.role}
        required
        value={role}
        onChange={choose}
        choices={roles.map((value) => ({ value, label: staffRoles[value] }))}
      />
      <div role="status" class="p-small">
        <p>{texts.roleMay}</p>
        <RolePermissions role={role} />
      </div>
    </>
  );
}
