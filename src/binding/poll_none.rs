//! Stands in for `poll` where Node's event loop cannot watch a socket for us (Windows, whose
//! sockets libuv polls through a driver interface of its own): no watch is ever possible.

use napi::Env;

use super::watcher::Watcher;

/// A socket that the event loop watches; there is none.
pub enum Watch {}

impl Watch {
    /// `false`.
    pub fn is_possible() -> bool {
        false
    }

    /// `None`.
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

/// Calls a watcher at the end of a turn; there is none.
pub enum TurnEnd {}

impl TurnEnd {
    /// `None`.
    pub fn new(_env: Env, _watcher: Box<dyn Watcher>) -> Option<Self> {
        None
    }

    /// Cannot be called.
    pub fn request(&self) -> bool {
        match *self {}
    }

    /// Cannot be called.
    pub fn close(self) {
        match self {}
    }
}
