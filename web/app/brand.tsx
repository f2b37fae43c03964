// The brand of the page: name, logo and colours of a tenant.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { getBrand, type Brand } from '@portico/client';
import { boot } from './boot.ts';
import { setCookie } from './cookies.ts';
import { suggestLocale } from './locale-provider.tsx';
import { useTexts } from './texts.ts';

interface BrandState {
  brand: Brand;
  /** Shows the brand of a tenant, or the neutral one. */
  showTenant(slug: string | null): void;
  /** Shows a brand that has just changed. */
  show(brand: Brand): void;
}

const BrandContext = createContext<BrandState>({ brand: boot.brand, showTenant: () => undefined, show: () => undefined });

/** Provides the brand that the server has chosen, until a page learns the tenant. */
export function BrandProvider({ children }: { children: ComponentChildren }) {
  const [brand, setBrand] = useState(boot.brand);
  const show = (next: Brand) => {
    linkStyle(next);
    setBrand(next);
  };
  const showTenant = (slug: string | null) => {
    if (slug === brand.tenant) return;
    void load(slug).then((loaded) => {
      if (!loaded) return;
      show(loaded);
      void suggestLocale(loaded.locale);
    });
  };
  return <BrandContext.Provider value={{ brand, showTenant, show }}>{children}</BrandContext.Provider>;
}

/** Returns the brand of the page. */
export function useBrand(): Brand {
  const { neutralBrand } = useTexts('common');
  const { brand } = useContext(BrandContext);
  return brand.tenant ? brand : { ...brand, name: neutralBrand };
}

/**
 * Shows the brand of a tenant once the page knows it, and remembers it for the next visit. `undefined` means that it is
 * not known yet.
 */
export function useTenantBrand(slug: string | null | undefined): void {
  useShownTenant(slug);
  useEffect(() => {
    if (slug !== undefined) rememberTenant(slug);
  }, [slug]);
}

/** Shows the brand of a tenant once the page knows it. Anyone can send a link, so opening one is not remembered. */
export function useShownTenant(slug: string | null | undefined): void {
  const { showTenant } = useContext(BrandContext);
  useEffect(() => {
    if (slug !== undefined) showTenant(slug);
  }, [slug]);
}

/** Remembers whose brand the next visit begins with. */
export const rememberTenant = (slug: string | null): void => setCookie('portico_brand', slug ?? '');

/** Returns the function that shows a brand that has just changed. */
export const useShowBrand = (): ((brand: Brand) => void) => useContext(BrandContext).show;

/** Loads a brand. Returns nothing if the server cannot be reached: the page keeps its look. */
async function load(slug: string | null): Promise<Brand | undefined> {
  const { data } = await getBrand({ query: slug ? { tenant: slug } : {} });
  return data;
}

/** Links the style sheet of a brand. */
function linkStyle({ tenant, version }: Brand): void {
  const link = document.querySelector<HTMLLinkElement>('link#brand');
  const href = tenant ? `/api/portal/brand.css?tenant=${tenant}&v=${version}` : '/api/portal/brand.css';
  if (link && link.getAttribute('href') !== href) link.href = href;
}
