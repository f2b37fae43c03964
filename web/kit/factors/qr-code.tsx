import { useEffect, useState } from 'preact/hooks';

/** A QR code, of which `svg` is the document. It is an image, so nothing in the document could act in the page. */
export function QrCode({ svg, label }: { svg: string; label: string }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
    setAddress(url);
    return () => URL.revokeObjectURL(url);
  }, [svg]);
  return <div class="p-qr-code">{address && <img src={address} alt={label} width="208" height="208" />}</div>;
}
