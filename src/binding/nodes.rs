//! The nodes of a deployment, as JavaScript sees them.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::Core;
use super::guard;
use crate::command::{keys, slot};
use crate::options::Endpoint;
use crate::resp::encode;
use crate::topology::{NodeInfo, ShardInfo};

/// A primary with its replicas and slots.
#[napi(object)]
pub struct ShardNumbers {
    /// The node that takes writes.
    pub primary: NodeNumbers,
    /// The nodes that have copies.
    pub replicas: Vec<NodeNumbers>,
    /// First and last slot of each range, one after the other.
    pub slots: Vec<u32>,
}

/// A node.
#[napi(object)]
pub struct NodeNumbers {
    /// The number by which the native side finds the node.
    pub place: u32,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u32,
    /// Its id in the cluster.
    pub id: String,
    /// Whether its lane has a connection.
    pub is_up: bool,
}

/// The sentinels of a client.
#[napi(object)]
pub struct SentinelNumbers {
    /// All sentinels that are known.
    pub all: Vec<Address>,
    /// The one whose messages the client gets; absent while there is none.
    pub watched: Option<Address>,
}

/// The address of a server.
#[napi(object)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// TCP port; 0 for a Unix socket.
    pub port: u32,
}

#[napi]
impl Core {
    /// All shards; empty before they are known.
    #[napi]
    pub fn shards(&self) -> Result<Vec<ShardNumbers>> {
        guard(|| {
            let shards = self.with_client(|client| client.router().map(|router| router.shards()));
            let shards = shards.flatten().unwrap_or_default();
            Ok(shards.into_iter().map(ShardNumbers::from).collect())
        })
    }

    /// The sentinels that are known; empty for a cluster.
    #[napi]
    pub fn sentinels(&self) -> Result<SentinelNumbers> {
        guard(|| {
            let witnesses =
                self.with_client(|client| client.router().map(|router| router.witnesses()));
            let (all, watched) = witnesses.flatten().unwrap_or_default();
            Ok(SentinelNumbers {
                all: all.into_iter().map(Address::from).collect(),
                watched: watched.map(Address::from),
            })
        })
    }

    /// The place of the node that takes writes to `slot`, or without one, of the node that gets
    /// commands without a key; null before that is known.
    #[napi]
    pub fn primary_of(&self, slot: Option<u32>) -> Result<Option<u32>> {
        guard(|| {
            let slot = slot.map(|slot| slot.min(u32::from(slot::SLOTS)) as u16);
            let place = self.with_client(|client| client.router()?.primary(slot));
            Ok(place.flatten())
        })
    }

    /// The place of the node that takes writes to `slot`, if no command of `slot` is under way to
    /// another node; null otherwise.
    #[napi]
    pub fn settled_primary_of(&self, slot: u32) -> Result<Option<u32>> {
        guard(|| {
            let slot = slot.min(u32::from(slot::SLOTS)) as u16;
            Ok(self.with_client(|client| client.router()?.settled(slot)).flatten())
        })
    }

    /// The place of the node that an ASK redirect names. `refusal` is the redirect, which the owner
    /// of `slot` has sent. Null if that node is not known yet.
    #[napi]
    pub fn asked_by(&self, slot: u32, refusal: String) -> Result<Option<u32>> {
        guard(|| {
            let slot = slot.min(u32::from(slot::SLOTS)) as u16;
            Ok(self.with_client(|client| client.router()?.asked(slot, &refusal)).flatten())
        })
    }

    /// Bytes of unanswered commands in the queue that a command of `slot` would join.
    #[napi]
    pub fn queued_bytes_at(&self, slot: u32) -> Result<f64> {
        guard(|| {
            let slot = slot.min(u32::from(slot::SLOTS)) as u16;
            let queued = self.with_client(|client| client.queued_bytes_at(slot));
            Ok(queued.unwrap_or_default() as f64)
        })
    }

    /// Makes a session take keys of `slot` only; without a slot, keys of any slot.
    #[napi]
    pub fn bind_session(&self, session_id: u32, slot: Option<u32>) -> Result<()> {
        guard(|| {
            let slot = slot.map(|slot| slot as u16);
            self.with_client(|client| client.bind_session(session_id, slot));
            Ok(())
        })
    }

    /// Makes the client ask soon where the nodes and slots are.
    #[napi]
    pub fn look_around(&self) -> Result<()> {
        guard(|| {
            if let Some(router) = self.started()?.client().and_then(|client| client.router()) {
                router.look();
            }
            Ok(())
        })
    }
}

/// The slot of the keys of an encoded command; of several commands, that of the first one with keys.
/// Null if no command has keys, or if the keys are of several slots.
#[napi]
pub fn slot_of_command(encoded: Uint8ArraySlice) -> Option<u32> {
    let mut rest: &[u8] = &encoded;
    loop {
        let mut slots = keys::of(rest).map(slot::of);
        if let Some(first) = slots.next() {
            return slots.all(|slot| slot == first).then_some(u32::from(first));
        }
        rest = rest.get(encode::command_len(rest)?..).filter(|rest| !rest.is_empty())?;
    }
}

/// Which arguments of an encoded command are keys; the command's name is argument 0.
#[napi]
pub fn keys_of_command(encoded: Uint8ArraySlice) -> Vec<u32> {
    let at = |slice: &[u8]| slice.as_ptr() as usize;
    let mut places: Vec<usize> = keys::of(&encoded).map(at).collect();
    places.sort_unstable();
    let args = encode::args(&encoded).map(at).enumerate();
    let keys = args.filter(|(_, place)| places.binary_search(place).is_ok());
    keys.map(|(index, _)| index as u32).collect()
}

/// The hash slot of a key.
#[napi]
pub fn slot_of(key: Uint8ArraySlice) -> u32 {
    u32::from(slot::of(&key))
}

impl From<ShardInfo> for ShardNumbers {
    fn from(shard: ShardInfo) -> Self {
        let slots = shard.slots.iter().flat_map(|(first, last)| [*first, *last]);
        Self {
            primary: shard.primary.into(),
            replicas: shard.replicas.into_iter().map(NodeNumbers::from).collect(),
            slots: slots.map(u32::from).collect(),
        }
    }
}

impl From<Endpoint> for Address {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Tcp { host, port } => Self { host, port: u32::from(port) },
            Endpoint::Unix { path } => Self { host: path, port: 0 },
        }
    }
}

impl From<NodeInfo> for NodeNumbers {
    fn from(node: NodeInfo) -> Self {
        let Address { host, port } = node.endpoint.into();
        Self { place: node.place, host, port, id: node.id, is_up: node.is_up }
    }
}
