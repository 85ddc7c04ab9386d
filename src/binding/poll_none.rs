//! Stands in for `poll` where Node's event loop cannot watch a socket for us (Windows, whose
//! sockets libuv polls through a driver interface of its own): no watch is ever possible.

use napi::Env;

use super::watcher::Watcher;

/// A socket under watch; there is none.
pub enum Watch {}

impl Watch {
    /// False.
    pub fn is_possible() -> bool {
        false
    }

    /// None.
    pub fn start(_env: Env, _descriptor: i32, _watcher: Box<dyn Watcher>) -> Option<Self> {
        None
    }

    /// Cannot be called.
    pub fn update(&self) {
        match *self {}
    }

    /// Cannot be called.
    pub fn close(self) {
        match self {}
    }
}

/// What comes after all sockets that were ready at the same time; there is none.
pub enum Turn {}

impl Turn {
    /// None.
    pub fn new(_env: Env, _watcher: Box<dyn Watcher>) -> Option<Self> {
        None
    }

    /// Cannot be called.
    pub fn await_end(&self) {
        match *self {}
    }

    /// Cannot be called.
    pub fn close(self) {
        match self {}
    }
}
