//! The sessions of a client, as JavaScript sees them. JavaScript chooses the id of a session.

use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::batch::batch;
use super::bridge::Core;
use super::guard;
use crate::client::Client;
use crate::error;
use crate::lane::Command;
use crate::session::Released;

#[napi]
impl Core {
    /// Opens a session on the node at `place`, or on any node. `settled(session_id, error)` is called
    /// once that has succeeded or failed.
    #[napi]
    pub fn open_session(&self, session_id: u32, place: Option<u32>) -> Result<()> {
        guard(|| {
            if let Some(client) = self.started()?.client() {
                client.open_session(session_id, place);
            }
            Ok(())
        })
    }

    /// Makes the connection of the only lane a session, at once. False if that cannot be now, and
    /// nothing was done.
    #[napi]
    pub fn borrow_lane(&self, session_id: u32) -> Result<bool> {
        guard(|| {
            let is_lent = self.with_client(|client| client.borrow_lane(session_id));
            // The lane's watch ends before another one of the same socket begins.
            self.look_at(0);
            Ok(is_lent.unwrap_or_default())
        })
    }

    /// Takes the commands of one turn as `submit` does, for one session, or for the node that has this
    /// number as its place. Returns the bytes that are queued there.
    #[napi]
    // An object that gathers the arguments would cost more than they do.
    #[allow(clippy::too_many_arguments)]
    pub fn submit_to(
        &self,
        env: Env,
        target: u32,
        encoded: Unknown,
        length: u32,
        table: Uint32ArraySlice,
        count: u32,
        large: Option<Vec<Unknown>>,
    ) -> Result<f64> {
        guard(|| {
            let mut commands = Vec::with_capacity(count as usize);
            for row in table.chunks_exact(COLUMNS).take(count as usize) {
                let [len, mode, timeout, id] = *row else { continue };
                commands.push(Command { id, len, mode: mode & Command::CALLER, timeout });
            }
            let batch = batch(env, encoded, length, commands, large)?;
            let reach = self.started()?;
            let queued = reach.client().map_or(0, |client| client.submit_to(target, batch));
            reach.look_at(target);
            Ok(queued as f64)
        })
    }

    /// Takes a session from its caller. Returns 0 if it is clean and may serve another caller, 1 if it
    /// is gone, and 2 if commands are not answered yet, so that nothing was done.
    #[napi]
    pub fn release(&self, session_id: u32) -> Result<u32> {
        guard(|| {
            let released = self.with_client(|client| client.release(session_id));
            self.look_at(session_id);
            Ok(match released {
                Some(Released::Clean) => 0,
                Some(Released::Gone) | None => 1,
                Some(Released::Busy) => 2,
            })
        })
    }

    /// Ends a session that no caller has. Its connection goes back to the pool.
    #[napi]
    pub fn give_back(&self, session_id: u32) -> Result<()> {
        guard(|| {
            self.with_client(|client| client.give_back(session_id));
            self.look_at(session_id);
            Ok(())
        })
    }

    /// Ends a session with all its commands, and closes its connection.
    #[napi]
    pub fn end_session(&self, session_id: u32) -> Result<()> {
        guard(|| {
            let text = "the session was released before the reply came";
            let error = error::Error::new(error::ErrorClass::Closed, "SESSION_RELEASED", text);
            self.with_client(|client| client.end_session(session_id, &error));
            self.look_at(session_id);
            Ok(())
        })
    }

    /// Whether a session can be used, as far as is known.
    #[napi]
    pub fn is_session_up(&self, session_id: u32) -> Result<bool> {
        let is_up = |client: &Client| client.is_session_up(session_id);
        guard(|| Ok(self.with_client(is_up).unwrap_or_default()))
    }

    /// Whether another caller may get this session.
    #[napi]
    pub fn is_session_fit(&self, session_id: u32) -> Result<bool> {
        let is_fit = |client: &Client| client.is_session_fit(session_id);
        guard(|| Ok(self.with_client(is_fit).unwrap_or_default()))
    }

    /// Whether callers on other threads wait for a session. `own` is the number of callers that wait
    /// on this thread.
    #[napi]
    pub fn is_session_wanted_elsewhere(&self, own: u32) -> Result<bool> {
        guard(|| {
            let is_wanted =
                self.with_client(|client| client.is_session_wanted_elsewhere(own as usize));
            Ok(is_wanted.unwrap_or_default())
        })
    }

    /// The error of a caller that has waited for `waited` ms for a session of the node at `place`, or
    /// of any node. `waiting` is the number of others that still wait.
    #[napi]
    pub fn pool_timeout(
        &self,
        env: Env,
        waited: f64,
        waiting: u32,
        place: Option<u32>,
    ) -> Result<Unknown<'static>> {
        guard(|| {
            let waited = Duration::from_millis(waited.clamp(0.0, f64::from(u32::MAX)) as u64);
            let reach = self.started()?;
            let waiting = waiting as usize;
            let error = reach.client().map(|client| client.pool_timeout(place, waited, waiting));
            let error = error.ok_or_else(|| Error::from_reason("the client did not start"))?;
            let value = reach.error(env, &error)?;
            // SAFETY: `value` was made in this call and is returned by it.
            Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
        })
    }

    /// Sends no PING to idle connections from now on, or does so again: the application has begun a
    /// transaction by hand.
    #[napi]
    pub fn hold_pings(&self, holds: bool) -> Result<()> {
        guard(|| {
            self.with_client(|client| client.hold_pings(holds));
            Ok(())
        })
    }

    /// Makes all connections of a client of one server begin anew, as the options say.
    #[napi]
    pub fn reset_connections(&self) -> Result<()> {
        guard(|| {
            self.with_client(|client| client.reset());
            Ok(())
        })
    }

    /// The error of a caller that has waited for the first connection for `waited` ms.
    #[napi(ts_return_type = "Error")]
    pub fn connect_timeout(&self, env: Env, waited: f64) -> Result<Unknown<'static>> {
        guard(|| {
            let waited = Duration::from_millis(waited.clamp(0.0, f64::from(u32::MAX)) as u64);
            let reach = self.started()?;
            let error = reach.client().map(|client| client.connect_timeout(waited));
            let error = error.ok_or_else(|| Error::from_reason("the client did not start"))?;
            let value = reach.error(env, &error)?;
            // SAFETY: `value` was made in this call and is returned by it.
            Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
        })
    }

    /// Makes the watch of a session ask again what to wait for.
    fn look_at(&self, session_id: u32) {
        let reach = self.reach.borrow().clone();
        if let Some(reach) = reach {
            reach.look_at(session_id);
        }
    }
}

/// Columns of the table that describes a turn's commands: length, mode, timeout, id. Ids are not
/// consecutive here, because all sessions of a client share them.
const COLUMNS: usize = 4;
