// The brand of the page: name, logo and colours of a tenant.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { getBrand, type Brand } from '@portico/client';
import { boot } from './boot.ts';
import { setCookie } from './cookies.ts';
import { useTexts } from './texts.ts';

interface BrandState {
  brand: Brand;
  /** Shows the brand of a tenant, or the neutral one, and remembers it for the next visit. */
  useTenant(slug: string | null): void;
}

const BrandContext = createContext<BrandState>({ brand: boot.brand, useTenant: () => undefined });

/** Provides the brand that the server has chosen, until a page learns the tenant. */
export function BrandProvider({ children }: { children: ComponentChildren }) {
  const [brand, setBrand] = useState(boot.brand);
  const useTenant = (slug: string | null) => {
    setCookie('portico_brand', slug ?? '');
    if (slug !== brand.tenant) void load(slug).then((loaded) => loaded && setBrand(loaded));
  };
  return <BrandContext.Provider value={{ brand, useTenant }}>{children}</BrandContext.Provider>;
}

/** Returns the brand of the page. */
export function useBrand(): Brand {
  const { neutralBrand } = useTexts('common');
  const { brand } = useContext(BrandContext);
  return brand.tenant ? brand : { ...brand, name: neutralBrand };
}

/** Shows the brand of a tenant once the page knows it. `undefined` means that it is not known yet. */
export function useTenantBrand(slug: string | null | undefined): void {
  const { useTenant } = useContext(BrandContext);
  useEffect(() => {
    if (slug !== undefined) useTenant(slug);
  }, [slug]);
}

/** Loads a brand and its style sheet. Returns nothing if the server cannot be reached: the page keeps its look. */
async function load(slug: string | null): Promise<Brand | undefined> {
  const { data } = await getBrand({ query: slug ? { tenant: slug } : {} });
  if (!data) return undefined;
  const old = document.querySelector<HTMLLinkElement>('link#brand');
  const href = data.tenant ? `/api/portal/brand.css?tenant=${data.tenant}&v=${data.version}` : '/api/portal/brand.css';
  if (old && old.getAttribute('href') !== href) old.href = href;
  return data;
}
