//! How much a server is asked for at the beginning of a connection.

/// How much a server is asked for at the beginning of a connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Everything, in the protocol that the options name.
    #[default]
    Full,
    /// Everything, in RESP2, because the server refuses HELLO.
    Resp2,
    /// Login and database only, in RESP2, because the server closes the connection at other
    /// commands, as some proxies do.
    Bare,
}
