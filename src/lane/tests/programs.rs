//! What scripts, and commands that the table does not know, answer in words of their own.

use super::super::outcome::Drained;
use super::*;
use crate::outbox::Whose;

/// A queue in which these commands are written.
fn written(mut queue: Queue, commands: &[&[&str]]) -> (Queue, Instant) {
    let now = Instant::now();
    let texts: Vec<String> = commands.iter().map(|words| encoded(words)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    queue.push(batch(1, &texts, 0, now));
    write_all(&mut queue, now);
    (queue, now)
}

fn encoded(words: &[&str]) -> String {
    let mut out = Vec::new();
    encode::command(&mut out, &words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
    String::from_utf8(out).unwrap()
}

const SCRIPTS: &[&[&str]] = &[
    &["EVAL", "x", "0"],
    &["evalsha", "x", "0"],
    &["EVAL_RO", "x", "0"],
    &["EVALSHA_RO", "x", "0"],
    &["FCALL", "f", "0"],
    &["FCALL_RO", "f", "0"],
    &["JSON.SET", "k", "$", "1"],
    &["NEWER", "x"],
    &["CLIENT", "NEWER"],
];

#[test]
fn a_script_that_may_have_written_is_never_written_again() {
    for command in SCRIPTS {
        for text in [
            "BUSY with something else",
            "TRYAGAIN later",
            "LOADING the cache failed",
            "READONLY mode of this tenant",
            "MASTERDOWN",
            "CLUSTERDOWN says the script",
            "NOAUTH for you",
            "MOVED on",
            "ERR Error running script (call to f_8): @user_script:1: -LOADING x",
        ] {
            for queue in [Queue::default(), Queue::routed()] {
                let (mut queue, now) = written(queue, &[command, &["GET", "k"]]);
                let answer = refuse(&mut queue, text);
                assert!(!answer.held && answer.whose.id == 1, "{command:?}: {text}");
                assert!(!queue.is_holding() && queue.take_refused().is_empty());
                reply(&mut queue);
                assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));
                assert_eq!((queue.commands(), queue.bytes()), (0, 0));
            }
        }
    }
}

#[test]
fn a_script_that_the_server_has_refused_is_written_again() {
    for command in SCRIPTS {
        for text in [
            LOADING,
            READONLY,
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            "LOADING Valkey is loading the dataset in memory",
            "CLUSTERDOWN Hash slot not served",
            "NOAUTH Authentication required.",
        ] {
            let (mut queue, _) = written(Queue::default(), &[command]);
            assert!(refuse(&mut queue, text).held, "{command:?}: {text}");
        }
        let (mut queue, _) = written(Queue::routed(), &[command]);
        assert!(refuse(&mut queue, "MOVED 1 127.0.0.1:6379").held);
        assert_eq!(queue.take_refused().len(), 1);
    }
}

#[test]
fn the_first_word_is_enough_for_other_commands() {
    for command in [&["SET", "k", "v"][..], &["get", "k"], &["PING"], &["CONFIG", "GET", "x"]] {
        let (mut queue, _) = written(Queue::default(), &[command]);
        assert!(refuse(&mut queue, "LOADING in other words").held, "{command:?}");
    }
}

#[test]
fn a_script_that_met_a_replica_is_answered_and_its_connection_left() {
    for text in [
        format!("{READONLY} script: 8f2, on @user_script:1."),
        format!("ERR Error running script (call to f_8): @user_script:1: -{READONLY} "),
    ] {
        let (mut queue, now) = written(Queue::default(), &[SCRIPTS[0]]);
        let answer = refuse(&mut queue, &text);
        assert_eq!((answer.held, answer.whose.id), (false, 1));
        assert!(matches!(queue.drained(now, 0, 0.5), Drained::Reconnect(_)));

        let (mut queue, now) = written(Queue::routed(), &[SCRIPTS[0]]);
        assert_eq!(refuse(&mut queue, &text).whose.id, 1);
        let signs = queue.take_refused();
        assert!(signs.len() == 1 && signs[0].batch.commands().is_empty());
        assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));

        let (mut queue, now) = written(Queue::without_retries(), &[SCRIPTS[0]]);
        refuse(&mut queue, &text);
        assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));

        // A value may be anything: only a script tells of its server so.
        let (mut queue, now) = written(Queue::default(), &[&["SET", "k", "v"]]);
        assert!(!refuse(&mut queue, &text.replace("READONLY", "ERR READONLY")).held);
        assert!(matches!(queue.drained(now, 0, 0.5), Drained::Nothing));
    }
}

/// The commands of a block, and the error that each is answered with, if it is.
type Case = (&'static [&'static [&'static str]], &'static [Option<&'static str>]);

/// A queue of a router in which one block of these commands is written.
fn block_of(commands: &[&[&str]]) -> Queue {
    let now = Instant::now();
    let parts = [&[&["MULTI"][..]], commands, &[&["EXEC"]]].concat();
    let text: String = parts.iter().map(|words| encoded(words)).collect();
    let mut queue = Queue::routed();
    let row = Command { mode: Command::BLOCK, ..command(7, text.len(), 0) };
    queue.push(Batch::new(Bytes::from(text), vec![row], now));
    write_all(&mut queue, now);
    queue
}

#[test]
fn a_block_without_its_multi_is_not_sent_on_once_a_part_may_have_run() {
    // The server answers MULTI with an error, so it runs each part by itself.
    let cases: &[Case] = &[
        (&[&["SET", "k", "v"], &["SET", "l", "v"]], &[None, Some(LOADING)]),
        (&[&["EVAL", "x", "0"], &["SET", "l", "v"]], &[Some("TRYAGAIN later"), Some(LOADING)]),
        (&[&["INCR", "k"], &["SET", "l", "v"]], &[Some("WRONGTYPE x"), Some(LOADING)]),
    ];
    for (commands, answers) in cases {
        let mut queue = block_of(commands);
        refuse(&mut queue, LOADING);
        for answer in *answers {
            queue.answer(answer.map(str::as_bytes)).unwrap();
        }
        let end = refuse(&mut queue, "ERR EXEC without MULTI");
        assert_eq!((end.whose.id, end.held), (7, false), "{commands:?}");
        assert!(queue.take_refused().is_empty());
    }
}

#[test]
fn a_block_that_was_refused_whole_is_sent_on() {
    let mut queue = block_of(&[&["SET", "k", "v"], &["EVAL", "x", "0"]]);
    reply(&mut queue);
    refuse(&mut queue, "MOVED 1 127.0.0.1:6379");
    refuse(&mut queue, "MOVED 1 127.0.0.1:6379");
    let end = refuse(&mut queue, "EXECABORT Transaction discarded because of previous errors.");
    assert!(end.held && end.whose == Whose::NOBODY);
    assert_eq!(queue.take_refused().len(), 1);

    let mut queue = block_of(&[&["SET", "k", "v"]]);
    for _ in 0..2 {
        refuse(&mut queue, LOADING);
    }
    assert!(refuse(&mut queue, LOADING).held);
}
