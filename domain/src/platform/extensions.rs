//! Values by their type.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
};

/// A set of values with at most one value of each type.
///
/// It holds the settings sections and the state of the capabilities, because the platform must not import their types.
/// [`registry`](crate::registry) fills it once, at start.
///
/// ```
/// use portico_domain::platform::extensions::Extensions;
///
/// let extensions = Extensions::default().with(5_u8).with("five");
/// assert_eq!(*extensions.get::<u8>(), 5);
/// assert_eq!(*extensions.get::<&str>(), "five");
/// ```
#[derive(Default)]
pub struct Extensions(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Extensions {
    /// Adds `value`. A value of the same type that was added before is replaced.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Box::new(value));
        self
    }

    /// Returns the value of type `T`.
    ///
    /// # Panics
    /// If no value of this type was added: a line is missing in `registry.rs`. Each unit test that starts an
    /// [`App`](crate::platform::app::App) and uses the capability finds that.
    #[expect(clippy::panic, reason = "a missing line in registry.rs is a programming error that the first use shows")]
    pub fn get<T: Any>(&self) -> &T {
        let value = self.0.get(&TypeId::of::<T>()).and_then(|value| value.downcast_ref());
        value.unwrap_or_else(|| panic!("registry.rs does not add {}", type_name::<T>()))
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.0.len())
    }
}
