//! The user name and password of a connection.

use crate::options::{ClientOptions, Secret};

/// The user name and password of a handshake.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// ACL user; `None` means the server's `default` user.
    pub username: Option<String>,
    /// Password. No `AUTH` is sent if there is neither a password nor a user name.
    pub password: Option<Secret>,
}

impl From<&ClientOptions> for Credentials {
    fn from(options: &ClientOptions) -> Self {
        Self { username: options.username.clone(), password: options.password.clone() }
    }
}
