//! Whether a view is of the cluster that is known already.
//!
//! Pure. A node that has died may leave its address to a node of another cluster, which takes the
//! same login and says in good faith that all slots are there. So a view in which no known node
//! appears, by its id, is not followed while another known node can be asked.

use std::collections::HashSet;

use super::view::View;
use crate::error::Error;
use crate::options::Endpoint;

/// What is known of the cluster when a look begins.
#[derive(Debug, Default)]
pub struct Kinship {
    /// The ids of its nodes; empty if nothing is known, or where nodes have no ids.
    ids: HashSet<String>,
    /// The addresses of its nodes.
    nodes: HashSet<Endpoint>,
    /// Whether a view without any known node is followed if there is no other.
    is_resigned: bool,
}

impl Kinship {
    /// The kinship of nodes that are known by these ids and addresses.
    pub(super) fn new(
        nodes: impl IntoIterator<Item = (String, Endpoint)>,
        is_resigned: bool,
    ) -> Self {
        let mut kinship = Self { is_resigned, ..Self::default() };
        for (id, endpoint) in nodes.into_iter().filter(|(id, _)| !id.is_empty()) {
            kinship.ids.insert(id);
            kinship.nodes.insert(endpoint);
        }
        kinship
    }

    /// Whether `view` is of this cluster, as far as ids tell.
    pub(super) fn has(&self, view: &View) -> bool {
        let is_known = |id: &String| self.ids.contains(id);
        let mut ids =
            view.members().map(|member| &member.id).filter(|id| !id.is_empty()).peekable();
        self.ids.is_empty() || ids.peek().is_none() || ids.any(is_known)
    }

    /// Whether the cluster was replaced by another one at its own addresses: more than half of the
    /// known nodes say so. `strangers` are the servers whose views have no known node.
    pub(super) fn was_replaced(&self, strangers: &[Endpoint]) -> bool {
        let count = strangers.iter().filter(|endpoint| self.nodes.contains(endpoint)).count();
        count * 2 > self.nodes.len()
    }

    /// Whether a view without any known node is followed if no server gives another one.
    pub(super) fn is_resigned(&self) -> bool {
        self.is_resigned
    }
}

/// The error for a server that belongs to another cluster.
pub(super) fn foreign(endpoint: &Endpoint) -> Error {
    let text = format!(
        "the server at {endpoint} is not the node that was there: it belongs to another cluster"
    );
    Error::connection("FOREIGN_NODE", text).retryable()
}

#[cfg(test)]
mod tests {
    use super::super::view::{Member, Shard};
    use super::*;

    fn view(ids: &[&str]) -> View {
        let shard = |id: &&str| Shard {
            primary: Member { endpoint: Endpoint::tcp("n", 1), id: (*id).to_owned() },
            replicas: Vec::new(),
            slots: Vec::new(),
        };
        View { shards: ids.iter().map(shard).collect(), gap: None }
    }

    fn known(ids: &[&str]) -> Kinship {
        let nodes = (1..).zip(ids).map(|(port, id)| ((*id).to_owned(), Endpoint::tcp("n", port)));
        Kinship::new(nodes, false)
    }

    #[test]
    fn a_view_without_a_known_node_is_of_another_cluster() {
        let kinship = known(&["a", "b", "c"]);
        assert!(kinship.has(&view(&["x", "b"])));
        assert!(!kinship.has(&view(&["x", "y"])));
        assert!(!kinship.has(&view(&["x", ""])));
    }

    #[test]
    fn without_ids_nothing_is_foreign() {
        assert!(known(&[]).has(&view(&["x"])));
        assert!(known(&["", ""]).has(&view(&["x"])));
        assert!(known(&["a"]).has(&view(&["", ""])));
    }

    #[test]
    fn a_cluster_was_replaced_if_most_of_its_nodes_say_so() {
        let kinship = known(&["a", "b", "c"]);
        let at = |ports: &[u16]| -> Vec<Endpoint> {
            ports.iter().map(|port| Endpoint::tcp("n", *port)).collect()
        };
        assert!(!kinship.was_replaced(&at(&[1])));
        assert!(!kinship.was_replaced(&at(&[1, 8, 9])), "strangers do not vouch for each other");
        assert!(kinship.was_replaced(&at(&[1, 2])));
        assert!(known(&["a"]).was_replaced(&at(&[1])), "there is no other to ask");
    }
}
