//! The names of Portico's cookies, as they are without HTTPS. With HTTPS each name begins with `__Host-`.

pub(crate) const DEVICE: &str = "portico_device";
pub(crate) const PORTAL_ACCESS: &str = "portico_portal";
pub(crate) const PORTAL_REFRESH: &str = "portico_portal_refresh";
pub(crate) const STAFF_ACCESS: &str = "portico_staff";
pub(crate) const STAFF_REFRESH: &str = "portico_staff_refresh";
