import type { PorticoError } from '@portico/client';
import { Dialog } from './dialog.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface ProblemDialogProps {
  /** What has failed. */
  title: string;
  problem: PorticoError;
  onClose: () => void;
}

/** A dialog for the error of an act that has no place on the page, such as an item of a menu. */
export function ProblemDialog({ title, problem, onClose }: ProblemDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <ProblemNotice problem={problem} />
    </Dialog>
  );
}
