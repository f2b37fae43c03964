//! The brands and logos that this process keeps in memory, because anyone may ask for them as often as they like.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use tokio::{sync::Semaphore, time::sleep};

use super::{LogoImage, PublicBrand};
use crate::platform::error::{Error, Result};

/// How old a brand in memory may be.
const TTL: Duration = Duration::from_secs(15);
/// How old a brand must be to be read again for a caller that knows of a newer version.
const MIN_AGE: Duration = Duration::from_secs(1);
/// The largest number of slugs in memory, also of those that no tenant has. An entry has less than a kilobyte.
const MAX_BRANDS: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
/// The largest number of logos in memory. A logo has at most 256 KiB.
const MAX_LOGOS: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// How many brands and logos are read at the same time, so that slugs that no tenant has cannot occupy the database.
const MAX_READS: usize = 4;

/// The brands of slugs, and logos, as this process has read them last.
pub struct BrandCache {
    brands: Mutex<LruCache<String, (Instant, Arc<PublicBrand>)>>,
    /// By their hashes.
    logos: Mutex<LruCache<String, LogoImage>>,
    reads: Semaphore,
}

impl Default for BrandCache {
    fn default() -> Self {
        Self {
            brands: Mutex::new(LruCache::new(MAX_BRANDS)),
            logos: Mutex::new(LruCache::new(MAX_LOGOS)),
            reads: Semaphore::new(MAX_READS),
        }
    }
}

impl BrandCache {
    /// Returns the brand of a slug from memory, or loads it. A caller that knows of a version newer than the one in
    /// memory waits until that one is a second old, and so gets the newer one.
    ///
    /// # Errors
    /// The error of `load`.
    pub(super) async fn get_or_load<F: Future<Output = Result<PublicBrand>>>(
        &self,
        slug: &str,
        version: u32,
        load: impl FnOnce() -> F,
    ) -> Result<Arc<PublicBrand>> {
        if let Some(wait) = self.wait_for(slug, version) {
            sleep(wait).await;
        }
        if let Some(brand) = self.cached(slug, version) {
            return Ok(brand);
        }
        let _read = self.begin_read().await?;
        // Another request may have read it in the time of the wait.
        if let Some(brand) = self.cached(slug, version) {
            return Ok(brand);
        }
        let read_at = Instant::now();
        let brand = Arc::new(load().await?);
        self.brands().put(slug.to_owned(), (read_at, brand.clone()));
        Ok(brand)
    }

    /// Returns the logo with this hash from memory, or loads the one that the tenant has now.
    ///
    /// # Errors
    /// The error of `load`.
    pub(super) async fn logo_or_load<F: Future<Output = Result<Option<LogoImage>>>>(
        &self,
        hash: &str,
        load: impl FnOnce() -> F,
    ) -> Result<Option<LogoImage>> {
        if let Some(logo) = self.logos().get(hash) {
            return Ok(Some(logo.clone()));
        }
        let _read = self.begin_read().await?;
        let logo = load().await?;
        if let Some(logo) = &logo {
            self.logos().put(logo.hash.clone(), logo.clone());
        }
        Ok(logo)
    }

    /// Forgets the brand of a slug.
    pub(super) fn forget(&self, slug: &str) {
        self.brands().pop(slug);
    }

    /// Returns how long a caller that knows of `version` waits until the brand is read again.
    fn wait_for(&self, slug: &str, version: u32) -> Option<Duration> {
        let mut brands = self.brands();
        let (read_at, brand) = brands.get(slug)?;
        if brand.version < version { MIN_AGE.checked_sub(read_at.elapsed()) } else { None }
    }

    fn cached(&self, slug: &str, version: u32) -> Option<Arc<PublicBrand>> {
        let mut brands = self.brands();
        let (read_at, brand) = brands.get(slug)?;
        let ttl = if brand.version < version { MIN_AGE } else { TTL };
        (read_at.elapsed() < ttl).then(|| brand.clone())
    }

    async fn begin_read(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.reads.acquire().await.map_err(|_| Error::Internal("the semaphore of the brands is closed".into()))
    }

    fn brands(&self) -> MutexGuard<'_, LruCache<String, (Instant, Arc<PublicBrand>)>> {
        self.brands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logos(&self) -> MutexGuard<'_, LruCache<String, LogoImage>> {
        self.logos.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for `slug` and returns whether the brand was loaded.
    async fn is_loaded(cache: &BrandCache, slug: &str, version: u32) -> bool {
        let mut is_loaded = false;
        let load = || {
            is_loaded = true;
            async { Ok(PublicBrand { tenant: Some(slug.to_owned()), version: 3, ..PublicBrand::neutral() }) }
        };
        let brand = cache.get_or_load(slug, version, load).await.unwrap();
        assert_eq!(brand.tenant.as_deref(), Some(slug), "the cache is keyed by the slug");
        is_loaded
    }

    #[tokio::test]
    async fn a_brand_is_loaded_once_and_again_after_a_change() {
        let cache = BrandCache::default();
        assert!(is_loaded(&cache, "acme", 0).await);
        assert!(is_loaded(&cache, "other", 0).await);
        assert!(!is_loaded(&cache, "acme", 3).await);
        cache.forget("acme");
        assert!(is_loaded(&cache, "acme", 0).await);
        assert!(!is_loaded(&cache, "other", 0).await);
    }

    #[tokio::test]
    async fn a_newer_version_is_read_after_a_second() {
        let cache = BrandCache::default();
        assert!(is_loaded(&cache, "acme", 0).await);
        let started = Instant::now();
        let (first, second) = tokio::join!(is_loaded(&cache, "acme", 4), is_loaded(&cache, "acme", 4));
        assert!(first ^ second, "a version in a request makes no more than one read in a second");
        assert!(started.elapsed() >= MIN_AGE / 2);
        let one_second_old = cache.brands().get_mut("acme").map(|(read_at, _)| *read_at -= MIN_AGE);
        assert!(one_second_old.is_some());
        assert!(!is_loaded(&cache, "acme", 3).await);
        assert!(is_loaded(&cache, "acme", 4).await);
    }

    #[tokio::test]
    async fn the_number_of_slugs_in_memory_is_bounded() {
        let cache = BrandCache::default();
        for n in 0..MAX_BRANDS.get() + 100 {
            assert!(is_loaded(&cache, &format!("slug-{n}"), 0).await);
        }
        assert_eq!(cache.brands().len(), MAX_BRANDS.get());
    }
}
