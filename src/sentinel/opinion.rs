//! What one sentinel says about the primary, its replicas and the other sentinels.
//!
//! Pure. Owns the questions and the reading of the answers
//! (<https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/>). Each
//! address in an answer is checked before it is used.

use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::resp::{encode, Frames, ValueKind};
use crate::topology::{is_plain, Member, View};

/// What a sentinel has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Its id, by which sentinels know each other; servers before 6.2 do not tell it.
    pub id: Option<String>,
    /// The node that takes writes, in its opinion. The id is the node's run id, which a server
    /// chooses when it starts; empty while the sentinel does not know it.
    pub primary: Member,
    /// The number of the failover that made this node the primary: newer ones have higher numbers.
    pub epoch: u64,
    /// The replicas that it can reach, with their run ids.
    pub replicas: Vec<Member>,
    /// The other sentinels that it can reach, with their ids.
    pub sentinels: Vec<(Endpoint, Option<String>)>,
}

/// The questions of one look about the primary `name`, encoded, and how many they are.
pub fn questions(name: &str) -> (Vec<u8>, usize) {
    let name = name.as_bytes();
    let questions: [&[&[u8]]; 5] = [
        // The answer to this one names a new primary earlier than the answer to the next one.
        &[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", name],
        &[b"SENTINEL", b"MASTER", name],
        &[b"SENTINEL", b"REPLICAS", name],
        &[b"SENTINEL", b"SENTINELS", name],
        &[b"SENTINEL", b"MYID"],
    ];
    let mut batch = Vec::new();
    for question in questions {
        encode::command(&mut batch, question);
    }
    (batch, questions.len())
}

impl Opinion {
    /// Reads the answers to [`questions`].
    ///
    /// # Errors
    ///
    /// The server's error; `NO_SUCH_PRIMARY`, fatal, if it watches over no primary of that name;
    /// `TOPOLOGY` for answers that make no sense, or have more nodes than [`View::MOST_NODES`].
    pub fn read(answers: &[Frames]) -> Result<Self> {
        let mut answers = answers.iter().flat_map(|frames| {
            frames.replies.iter().map(move |root| ReplyValue { frames, root: *root })
        });
        let mut next = || answers.next().ok_or_else(nonsense);
        let (address, primary) = (next()?, next()?);
        let (replicas, sentinels, id) = (next()?, next()?, next()?);
        if address.is_null() {
            return Err(no_such_primary());
        }
        let errors = [address, primary, replicas].map(|answer| answer.error());
        if let Some(text) = errors.into_iter().flatten().next() {
            return Err(Error::reply(text));
        }
        for list in [replicas, sentinels] {
            if list.children().nth(View::MOST_NODES).is_some() {
                return Err(View::too_many_nodes());
            }
        }
        let mut address = address.children().map(|word| word.text());
        let (host, port) = (address.next().unwrap_or_default(), address.next().unwrap_or_default());
        let epoch = primary.field("config-epoch").and_then(|epoch| epoch.parse().ok());
        let endpoint = endpoint(&host, &port).ok_or_else(nonsense)?;
        // The first answer may name a new primary, which the second one does not know yet. Then it
        // is among the replicas.
        let mut records = std::iter::once(primary).chain(replicas.children());
        let record = records.find(|record| record.endpoint().as_ref() == Some(&endpoint));
        let run_id = record.and_then(|record| record.field("runid"));
        let others = sentinels.children().filter(ReplyValue::is_reachable);
        Ok(Self {
            id: id.error().is_none().then(|| id.text()).filter(|id| !id.is_empty()),
            primary: Member { endpoint, id: run_id.unwrap_or_default() },
            epoch: epoch.unwrap_or_default(),
            replicas: replicas
                .children()
                .filter(ReplyValue::is_reachable)
                .filter_map(|replica| replica.member())
                .collect(),
            sentinels: others
                .filter_map(|other| Some((other.endpoint()?, other.field("runid"))))
                .collect(),
        })
    }

    /// Whether `is_it` holds for the primary or one of its replicas, in this opinion.
    pub fn has(&self, is_it: impl Fn(&Member) -> bool) -> bool {
        is_it(&self.primary) || self.replicas.iter().any(is_it)
    }
}

/// Whether both are one server: it may have a name and several addresses, but at any time it has
/// one run id.
pub fn is_same(one: &Member, other: &Member) -> bool {
    one.endpoint == other.endpoint || (!one.id.is_empty() && one.id == other.id)
}

/// The run id in the answer to `INFO`; None if there is none.
pub fn run_id(answer: &Frames) -> Option<String> {
    let answer = ReplyValue { frames: answer, root: *answer.replies.first()? };
    let text = answer.text();
    let id = text.lines().find_map(|line| line.strip_prefix("run_id:"))?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Whether the answer to `ROLE` is that of a primary.
///
/// # Errors
///
/// The server's error.
pub fn is_primary(answer: &Frames) -> Result<bool> {
    let root = *answer.replies.first().ok_or_else(nonsense)?;
    let answer = ReplyValue { frames: answer, root };
    match answer.error() {
        Some(text) => Err(Error::reply(text)),
        None => Ok(answer.children().next().is_some_and(|role| role.text() == "master")),
    }
}

/// The question to a node that sentinels name as the primary, encoded.
pub const ROLE: &[u8] = b"*1\r\n$4\r\nROLE\r\n";
/// The question for the run id of a node, encoded.
pub const INFO: &[u8] = b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";

/// One value of a reply.
#[derive(Clone, Copy)]
struct ReplyValue<'a> {
    frames: &'a Frames,
    root: u32,
}

impl<'a> ReplyValue<'a> {
    fn kind(&self) -> Option<ValueKind> {
        self.frames.tape.get(self.root as usize).map(|node| node.kind)
    }

    fn error(&self) -> Option<String> {
        matches!(self.kind(), Some(ValueKind::Error | ValueKind::BulkError)).then(|| self.text())
    }

    fn is_null(&self) -> bool {
        matches!(self.kind(), Some(ValueKind::Null) | None)
    }

    fn text(&self) -> String {
        let node = self.frames.tape.get(self.root as usize);
        let bytes = node.map(|node| self.frames.text(node)).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn children(&self) -> impl Iterator<Item = ReplyValue<'a>> {
        let frames = self.frames;
        frames.children(self.root).map(move |root| ReplyValue { frames, root })
    }

    /// The value behind `name` in a map, or in the flat list that stands for one in RESP2.
    fn field(&self, name: &str) -> Option<String> {
        let mut words = self.children();
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            if key.text() == name {
                return Some(value.text());
            }
        }
        None
    }

    fn endpoint(&self) -> Option<Endpoint> {
        endpoint(&self.field("ip")?, &self.field("port")?)
    }

    fn member(&self) -> Option<Member> {
        let endpoint = self.endpoint()?;
        Some(Member { endpoint, id: self.field("runid").unwrap_or_default() })
    }

    fn is_reachable(&self) -> bool {
        let flags = self.field("flags").unwrap_or_default();
        !flags.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"))
    }
}

fn endpoint(host: &str, port: &str) -> Option<Endpoint> {
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_plain(host).then(|| Endpoint::tcp(host, port))
}

fn no_such_primary() -> Error {
    let text = "it watches over no primary of this name: check the option name";
    Error::connection("NO_SUCH_PRIMARY", text).fatal()
}

fn nonsense() -> Error {
    Error::connection("TOPOLOGY", "the sentinel's answer makes no sense").retryable()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Decoder, Limits};

    fn frames(text: &str) -> Vec<Frames> {
        let mut decoder = Decoder::new(Limits::default());
        let mut bytes = bytes::BytesMut::from(text.replace('\n', "\r\n").as_bytes());
        std::iter::from_fn(|| decoder.decode(&mut bytes).unwrap()).collect()
    }

    fn bulk(text: &str) -> String {
        format!("${}\n{text}\n", text.replace('\n', "\r\n").len())
    }

    fn list(words: &[&str]) -> String {
        let words: String = words.iter().map(|word| bulk(word)).collect();
        format!("*{}\n{words}", words.matches('$').count())
    }

    fn record(ip: &str, port: &str, flags: &str, id: &str) -> String {
        list(&["name", "x", "ip", ip, "port", port, "runid", id, "flags", flags])
    }

    fn opinion(address: &str, primary: &str, replicas: &[String]) -> Result<Opinion> {
        let replicas = format!("*{}\n{}", replicas.len(), replicas.concat());
        let others = format!("*1\n{}", record("127.0.0.9", "26379", "sentinel", "b"));
        Opinion::read(&frames(&format!("{address}{primary}{replicas}{others}{}", bulk("a"))))
    }

    #[test]
    fn the_answers_name_all_that_can_be_reached() {
        let primary = list(&[
            "name",
            "x",
            "ip",
            "127.0.0.1",
            "port",
            "6379",
            "runid",
            "p",
            "config-epoch",
            "7",
        ]);
        let read = opinion(
            &list(&["127.0.0.1", "6379"]),
            &primary,
            &[
                record("127.0.0.2", "6379", "slave", "r"),
                record("127.0.0.3", "6379", "s_down,slave", ""),
                record("127.0.0.4", "6379", "slave,disconnected", ""),
                record("a/b", "6379", "slave", ""),
                record("127.0.0.5", "70000", "slave", ""),
            ],
        );
        let expected = Opinion {
            id: Some("a".into()),
            primary: member("127.0.0.1", "p"),
            epoch: 7,
            replicas: vec![member("127.0.0.2", "r")],
            sentinels: vec![(Endpoint::tcp("127.0.0.9", 26379), Some("b".into()))],
        };
        assert_eq!(read.unwrap(), expected);
    }

    fn member(host: &str, id: &str) -> Member {
        Member { endpoint: Endpoint::tcp(host, 6379), id: id.to_owned() }
    }

    #[test]
    fn a_new_primary_that_is_still_listed_as_a_replica_has_its_run_id() {
        let old = record("127.0.0.1", "6379", "master", "p");
        let replicas = [record("127.0.0.2", "6379", "s_down,slave", "r")];
        let read = opinion(&list(&["127.0.0.2", "6379"]), &old, &replicas).unwrap();
        assert_eq!(read.primary, member("127.0.0.2", "r"));
    }

    #[test]
    fn a_list_without_end_is_not_read() {
        let replicas: Vec<String> = (0..=View::MOST_NODES)
            .map(|at| record("127.0.0.2", &(at + 1).to_string(), "slave", ""))
            .collect();
        let primary = list(&["config-epoch", "1"]);
        let error = opinion(&list(&["127.0.0.1", "1"]), &primary, &replicas).unwrap_err();
        assert_eq!(error.code(), "TOPOLOGY");
    }

    #[test]
    fn the_run_id_stands_in_a_line_of_its_own() {
        let info = |text: &str| run_id(&frames(&bulk(text))[0]);
        assert_eq!(info("# Server\nredis_version:7\nrun_id:abc\nport:1"), Some("abc".to_owned()));
        assert_eq!(info("# Server\nrun_id:"), None);
        assert_eq!(run_id(&frames("-NOPERM x\n")[0]), None);
    }

    #[test]
    fn maps_are_read_as_lists_are() {
        let map = "%1\n".to_owned() + &bulk("config-epoch") + &bulk("3");
        assert_eq!(opinion(&list(&["h", "1"]), &map, &[]).unwrap().epoch, 3);
    }

    #[test]
    fn a_name_that_is_not_watched_is_the_callers_mistake() {
        let refusal = "-ERR No such master with that name\n".to_owned();
        let answers = "*-1\n".to_owned() + &refusal.repeat(3) + &bulk("a");
        let error = Opinion::read(&frames(&answers)).unwrap_err();
        assert_eq!(error.code(), "NO_SUCH_PRIMARY");
        assert!(error.is_fatal());
    }

    #[test]
    fn nonsense_names_no_node() {
        for address in [list(&["127.0.0.1"]), list(&["127.0.0.1", "x"]), list(&["", "1"])] {
            let error = opinion(&address, &list(&["config-epoch", "1"]), &[]).unwrap_err();
            assert_eq!(error.code(), "TOPOLOGY", "{address}");
        }
        let refused = opinion("-NOAUTH Authentication required.\n", "*0\n", &[]).unwrap_err();
        assert_eq!(refused.code(), "NOAUTH");
    }

    #[test]
    fn only_a_primary_answers_as_one() {
        let role = |text: &str| is_primary(&frames(text)[0]);
        assert!(role(&("*3\n".to_owned() + &bulk("master") + ":1\n*0\n")).unwrap());
        assert!(!role(&list(&["slave", "127.0.0.1"])).unwrap());
        assert_eq!(role("-NOPERM x\n").unwrap_err().code(), "NOPERM");
    }
}
