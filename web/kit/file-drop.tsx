import { useRef, useState } from 'preact/hooks';
import { Button, type ButtonProps } from './button.tsx';

interface FileDropProps {
  title: string;
  /** The text of the button that opens the list of files. */
  choose: string;
  kind?: NonNullable<ButtonProps['kind']>;
  /** The types of files that the list offers. A dropped file may have another. */
  accept: string;
  busy?: boolean;
  onFile: (file: File) => unknown;
}

/** An area that takes a dropped file, with a button that chooses one. */
export function FileDrop({ title, choose, kind = 'secondary', accept, busy = false, onFile }: FileDropProps) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => files?.[0] && !busy && void onFile(files[0]);
  return (
    <div
      class="p-drop"
      data-over={isOver ? '' : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <p class="p-empty-title">{title}</p>
      <Button kind={kind} busy={busy} onClick={() => input.current?.click()}>
        {choose}
      </Button>
      <input
        type="file"
        accept={accept}
        aria-label={choose}
        ref={input}
        hidden
        onChange={(event) => {
          take(event.currentTarget.files);
          // The same file may be chosen again after it was corrected.
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}
