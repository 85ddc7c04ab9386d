//! The nodes of a deployment, by their places and by their addresses.
//!
//! A place is the number by which a router, its lanes and JavaScript name a node. The place of a
//! node that was removed goes to the next new node. Invariant: both ways to find a node agree.

use std::collections::HashMap;

use super::node::Node;
use super::template::Template;
use super::view::Member;
use crate::lane::Lane;
use crate::options::Endpoint;

/// The nodes that are known.
#[derive(Default)]
pub(super) struct Registry {
    /// The index is the place.
    nodes: Vec<Option<Node>>,
    by_endpoint: HashMap<Endpoint, u32>,
    /// The places below the highest one that have no node.
    vacant: Vec<u32>,
    /// Whether a node at an address that was known has got another id.
    pub(super) has_new_ids: bool,
}

impl Registry {
    /// The node at `place`.
    pub(super) fn get(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place as usize)?.as_ref()
    }

    /// The node at `place`.
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place as usize)?.as_mut()
    }

    /// The place of the node that listens at `endpoint`.
    pub(super) fn place_of(&self, endpoint: &Endpoint) -> Option<u32> {
        self.by_endpoint.get(endpoint).copied()
    }

    /// One more than the highest place.
    pub(super) fn places(&self) -> usize {
        self.nodes.len()
    }

    /// All nodes with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0..).zip(&self.nodes).filter_map(|(place, node)| Some((place, node.as_ref()?)))
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten()
    }

    /// All nodes.
    pub(super) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.iter_mut().flatten()
    }

    /// The lanes of the nodes to which anything was sent.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.nodes().filter_map(Node::open_lane)
    }

    /// The place of `member`, which gets a node made by `template` if it is new. A node that was to
    /// be removed stays, since a server names it again.
    pub(super) fn enlist(&mut self, member: &Member, template: &Template) -> u32 {
        if let Some(place) = self.place_of(&member.endpoint) {
            if let Some(node) = self.get_mut(place) {
                node.leaves = None;
                if node.id != member.id {
                    node.id.clone_from(&member.id);
                    // What is there may be the node that is named now.
                    node.is_stranger = false;
                    self.has_new_ids = true;
                }
                return place;
            }
        }
        let place = self.vacant.last().copied().unwrap_or(self.nodes.len() as u32);
        let mut node = match template.home(&member.endpoint, place) {
            Ok(home) => Node::new(member.endpoint.clone(), home),
            // It fails for wrong options only, and these were checked before the router started.
            Err(_) => return place,
        };
        node.id.clone_from(&member.id);
        match self.nodes.get_mut(place as usize) {
            Some(vacant) => {
                *vacant = Some(node);
                self.vacant.pop();
            }
            None => self.nodes.push(Some(node)),
        }
        self.by_endpoint.insert(member.endpoint.clone(), place);
        place
    }

    /// Takes out the node at `place`.
    pub(super) fn remove(&mut self, place: u32) -> Option<Node> {
        let node = self.nodes.get_mut(place as usize).and_then(Option::take)?;
        self.by_endpoint.remove(&node.endpoint);
        self.vacant.push(place);
        Some(node)
    }

    /// Takes out all nodes.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Node> {
        self.by_endpoint.clear();
        self.vacant.clear();
        std::mem::take(&mut self.nodes).into_iter().flatten()
    }
}
