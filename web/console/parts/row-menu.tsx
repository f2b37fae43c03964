import { useTexts } from '../../app/texts.ts';
import { Menu } from '../../kit/menu.tsx';

/** One action of a row. */
export interface RowAction {
  label: string;
  onClick: () => void;
}

/** The menu of a row, or nothing if there are no actions. */
export function RowMenu({ name, actions }: { name: string; actions: RowAction[] }) {
  const { actionsFor } = useTexts('console');
  if (actions.length === 0) return null;
  return (
    <span class="p-row-menu">
      <Menu label={actionsFor(name)} button={<span aria-hidden="true">•••</span>}>
        {actions.map(({ label, onClick }) => (
          <button key={label} type="button" onClick={onClick}>
            {label}
          </button>
        ))}
      </Menu>
    </span>
  );
}
