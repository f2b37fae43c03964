import { Menu } from './menu.tsx';

/** One action of a row. */
export interface RowAction {
  label: string;
  onClick: () => void;
}

/** The menu of the row that `label` names, or nothing if there are no actions. */
export function RowMenu({ label, actions }: { label: string; actions: RowAction[] }) {
  if (actions.length === 0) return null;
  return (
    <span class="p-row-menu">
      <Menu label={label} button={<span aria-hidden="true">•••</span>}>
        {actions.map((action) => (
          <button key={action.label} type="button" onClick={action.onClick}>
            {action.label}
          </button>
        ))}
      </Menu>
    </span>
  );
}
