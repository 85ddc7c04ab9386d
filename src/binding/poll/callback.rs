//! Running a callback in the way in which Node runs its own.

use std::ffi::CStr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use napi::sys;

/// What N-API needs to run a callback like one of Node's own.
pub(super) struct CallbackContext {
    resource: sys::napi_ref,
    context: sys::napi_async_context,
}

impl CallbackContext {
    /// Must be called within a callback of `env`. `None` if N-API refuses.
    pub(super) fn new(env: sys::napi_env) -> Option<Self> {
        const NAME: &CStr = c"oxidis";
        let (mut object, mut name) = (ptr::null_mut(), ptr::null_mut());
        let (mut resource, mut context) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: called within a callback of `env`; each result is used only if the call before
        // it went well.
        let made = unsafe {
            sys::napi_create_object(env, &mut object) == sys::Status::napi_ok
                && sys::napi_create_string_utf8(env, NAME.as_ptr(), -1, &mut name)
                    == sys::Status::napi_ok
                && sys::napi_create_reference(env, object, 1, &mut resource) == sys::Status::napi_ok
                && sys::napi_async_init(env, object, name, &mut context) == sys::Status::napi_ok
        };
        made.then_some(Self { resource, context })
    }

    /// Runs `f` with a handle scope, and then the microtasks and the `nextTick` queue, as Node does
    /// for a callback of its own. False if `f` did not run to its end.
    pub(super) fn enter(&self, env: sys::napi_env, f: impl FnOnce()) -> bool {
        let mut is_done = false;
        let (mut handles, mut callback) = (ptr::null_mut(), ptr::null_mut());
        let mut resource = ptr::null_mut();
        // SAFETY: this is the thread of `env`, and no JavaScript runs; scopes are closed in the
        // reverse order of opening.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut handles) != sys::Status::napi_ok {
                return false;
            }
            sys::napi_get_reference_value(env, self.resource, &mut resource);
            let opened = sys::napi_open_callback_scope(env, resource, self.context, &mut callback);
            if opened == sys::Status::napi_ok {
                // A panic would leave the scopes open.
                is_done = catch_unwind(AssertUnwindSafe(f)).is_ok();
                sys::napi_close_callback_scope(env, callback);
            }
            sys::napi_close_handle_scope(env, handles);
        }
        is_done
    }

    /// Gives back what [`CallbackContext::new`] has made.
    pub(super) fn destroy(&self, env: sys::napi_env) {
        // SAFETY: made by `new`, on this thread, and used no more.
        unsafe {
            sys::napi_async_destroy(env, self.context);
            sys::napi_delete_reference(env, self.resource);
        }
    }
}
