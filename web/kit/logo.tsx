import { useBrand } from '../app/brand.tsx';

/** The logo of the brand, or its name where it has no logo. */
export function Logo() {
  const { name, logo } = useBrand();
  if (!logo) {
    return (
      <span class="p-brand-name" dir="auto">
        {name}
      </span>
    );
  }
  return <img class="p-logo" src={logo.url} width={logo.width} height={logo.height} alt={name} />;
}
