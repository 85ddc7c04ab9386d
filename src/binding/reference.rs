//! References to JavaScript objects.
//!
//! Owns the count that makes one strong or weak, and deleting it. A reference belongs to the thread
//! of its environment.

use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;

/// A reference to an object.
pub struct Reference {
    env: sys::napi_env,
    raw: sys::napi_ref,
}

impl Reference {
    /// Keeps `object` from being freed. It must be a live handle of the current callback.
    pub fn strong(env: Env, object: sys::napi_value) -> Result<Self> {
        Self::new(env, object, 1)
    }

    /// Finds `object` for as long as others hold it. It must be a live handle of the current callback.
    pub fn weak(env: Env, object: sys::napi_value) -> Result<Self> {
        Self::new(env, object, 0)
    }

    fn new(env: Env, object: sys::napi_value, count: u32) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: `object` is a live handle, as the callers promise.
        let status = unsafe { sys::napi_create_reference(env.raw(), object, count, &mut raw) };
        match status {
            sys::Status::napi_ok => Ok(Self { env: env.raw(), raw }),
            _ => Err(Error::new(Status::from(status), "an object could not be referred to")),
        }
    }

    /// The object. Must be called within a callback of its environment.
    pub fn get(&self) -> Result<sys::napi_value> {
        let mut object = ptr::null_mut();
        // SAFETY: the reference exists as long as `self`.
        let status = unsafe { sys::napi_get_reference_value(self.env, self.raw, &mut object) };
        if status != sys::Status::napi_ok || object.is_null() {
            return Err(Error::from_reason("the object is gone"));
        }
        Ok(object)
    }

    /// The environment of the object.
    pub fn env(&self) -> sys::napi_env {
        self.env
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and dropped once, on the thread of its environment.
        unsafe { sys::napi_delete_reference(self.env, self.raw) };
    }
}
