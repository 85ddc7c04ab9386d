//! What bb8 needs of a node: how to open a connection, and when to close one.

use std::sync::Arc;

use super::dialer::Dialer;
use super::lease::Pooled;
use crate::error::{Error, Result};

/// The connections of one node, as bb8 manages them.
pub struct Manager {
    dialer: Arc<Dialer>,
}

impl Manager {
    pub(super) fn new(dialer: Arc<Dialer>) -> Self {
        Self { dialer }
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    async fn connect(&self) -> Result<Pooled> {
        self.dialer.connect().await
    }

    async fn is_valid(&self, pooled: &mut Pooled) -> Result<()> {
        pooled.ping(super::VALIDATION).await
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        // bb8 calls this when a lease comes back.
        pooled.is_broken() || pooled.is_expired() || self.dialer.halt.is_closed()
    }
}
