//! What a server says about itself in its answer to `HELLO`.

use crate::error::{Error, Result};
use crate::resp::{Frames, ValueKind};

/// What the server has said about itself; in RESP2 only `proto` is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// The protocol in use: 2 or 3.
    pub proto: u8,
    /// The server's number for this connection (`CLIENT ID`).
    pub id: Option<i64>,
    /// The server's name: `redis`, `valkey` ...
    pub server: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub mode: Option<String>,
    /// `master` or `replica`.
    pub role: Option<String>,
    /// The server's availability zone (`availability-zone` of Valkey 8.1 and later).
    pub zone: Option<String>,
}

impl ServerInfo {
    /// Reads the answer to `HELLO`, which is a map, or a flat array of its keys and values.
    ///
    /// # Errors
    ///
    /// Class `Protocol` if the answer names neither protocol 2 nor 3.
    pub(super) fn read(frames: &Frames, root: u32) -> Result<Self> {
        let mut info = Self::default();
        let pairs = match frames.tape.get(root as usize) {
            Some(node) if node.kind == ValueKind::Map => node.len,
            Some(node) if node.kind == ValueKind::Array => node.len / 2,
            _ => 0,
        };
        let mut at = root.saturating_add(1);
        for _ in 0..pairs {
            let value_at = frames.next(at);
            let (Some(key), Some(value)) =
                (frames.tape.get(at as usize), frames.tape.get(value_at as usize))
            else {
                break;
            };
            let text = || Some(String::from_utf8_lossy(frames.text(value)).into_owned());
            match frames.text(key) {
                b"server" => info.server = text(),
                b"version" => info.version = text(),
                b"mode" => info.mode = text(),
                b"role" => info.role = text(),
                b"availability_zone" => info.zone = text().filter(|zone| !zone.is_empty()),
                b"id" if value.kind == ValueKind::Integer => info.id = Some(value.num as i64),
                b"proto" if value.kind == ValueKind::Integer => {
                    info.proto = u8::try_from(value.num).unwrap_or_default();
                }
                _ => {}
            }
            at = frames.next(value_at);
        }
        if !matches!(info.proto, 2 | 3) {
            return Err(Error::protocol("the server's answer to HELLO names no protocol we speak"));
        }
        Ok(info)
    }
}
